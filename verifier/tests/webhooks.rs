//! What of webhooks needs no network: signatures, which addresses may be called, and when to try again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use checkout_verifier::webhooks::backoff::{GIVEN_UP_AFTER, next};
use checkout_verifier::webhooks::signature::{NotASecret, Secret, sign};
use checkout_verifier::webhooks::target::{Refused, Target, is_public};
use std::net::IpAddr;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn secret(base64: &str) -> Secret {
    Secret::parse(&format!("whsec_{base64}")).unwrap()
}

// The first two are those of the published JavaScript and Rust libraries; the specification's own example names no
// secret. The others, the shortest and the longest secret, are from Python's hmac.
#[test]
fn signatures_are_those_of_the_published_libraries() {
    for (key, id, timestamp, body, want) in [
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "a", 1, "{}", "v1,GYqGXZ214H/q44wzM9mHb9Lg2SXAvrtZD0S+zz3sjAA="),
        (
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
            "a",
            1,
            "{}",
            "v1,6gL5V97XNfLWASvoKyQ/23jKV7T1u5EEa0u4AvVCinA=",
        ),
    ] {
        assert_eq!(sign([&secret(key)], id, timestamp, body.as_bytes()), want);
    }
}

#[test]
fn while_a_secret_is_replaced_both_sign() {
    let (new, old) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let both = sign([&new, &old], "a", 1, b"{}");
    assert_eq!(both, format!("{} {}", sign([&new], "a", 1, b"{}"), sign([&old], "a", 1, b"{}")));
    assert_eq!(both.split(' ').filter(|signature| signature.starts_with("v1,")).count(), 2);
}

#[test]
fn no_secret_is_like_another_or_printed_by_accident() {
    let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    assert_ne!(one, other);
    assert_eq!(Secret::parse(&one.reveal()), Ok(one.clone()));
    // 32 bytes
    assert_eq!(one.reveal().len(), "whsec_".len() + 44);
    assert_eq!(format!("{one:?}"), "whsec_…");
}

#[test]
fn what_is_no_secret_is_refused() {
    for text in [
        "",
        "whsec_",
        "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "whpk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n",
        // 23 and 65 bytes
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=",
    ] {
        assert_eq!(Secret::parse(text), Err(NotASecret), "{text}");
    }
}

const NOT_PUBLIC: [(&str, &str); 17] = [
    ("this host and this network", "0.0.0.0 0.255.255.255 ::"),
    ("loopback", "127.0.0.1 127.255.255.254 ::1"),
    ("private", "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
    ("unique-local, site-local", "fc00::1 fdff:ffff::1 fec0::1 feff::1"),
    ("behind a carrier's NAT", "100.64.0.0 100.127.255.255"),
    ("link-local", "169.254.0.0 169.254.255.255 fe80::1 febf::1"),
    ("metadata of AWS, Alibaba, Oracle, Azure", "169.254.169.254 100.100.100.200 192.0.0.192 168.63.129.16"),
    ("metadata of AWS, Google, over IPv6", "fd00:ec2::254 fd20:ce::254"),
    ("multicast", "224.0.0.0 239.255.255.255 ff00:: ff02::1 ff0e::1"),
    ("reserved, broadcast", "240.0.0.0 255.255.255.254 255.255.255.255 100::1 1fff:ffff::1 4000::1 5f00::1"),
    ("documentation", "192.0.2.1 198.51.100.255 203.0.113.0 2001:db8::1 2001:db8:ffff::1 3fff::1 3fff:fff::1"),
    ("benchmarks", "198.18.0.0 198.19.255.255 2001:2::1"),
    ("protocol assignments", "192.0.0.0 192.0.0.255 192.88.99.1 2001:1ff:ffff::1"),
    ("mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0"),
    ("compatible, translated", "::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8"),
    (
        "NAT64, local NAT64",
        "64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b::100.64.0.1
         64:ff9b:1::8.8.8.8 64:ff9b:0:0:1::8.8.8.8 64:ff9b::1:808:808",
    ),
    ("6to4, Teredo", "2002:7f00:1::1 2002:a00:1::1 2002:808:808::1 2001:0:808:808::1"),
];

const PUBLIC: [(&str, &str); 4] = [
    ("well known", "1.1.1.1 8.8.8.8 93.184.215.14 2606:4700:4700::1111 2a00:1450::1"),
    (
        "next to what is not",
        "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15
         168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
         192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0
         203.0.112.255 203.0.114.0 223.255.255.255",
    ),
    ("the same over IPv6", "2000::1 2001:200::1 2001:db7:ffff::1 2001:db9::1 2003::1 3ffe:ffff::1 3fff:1000::1"),
    ("mapped, NAT64", "::ffff:8.8.8.8 64:ff9b::8.8.8.8"),
];

#[test]
fn only_public_addresses_are_public() {
    for (table, public) in [(&NOT_PUBLIC[..], false), (&PUBLIC[..], true)] {
        for (what, addresses) in table {
            for address in addresses.split_whitespace() {
                assert_eq!(is_public(address.parse::<IpAddr>().unwrap()), public, "{what}: {address}");
            }
        }
    }
}

#[test]
fn private_hosts_are_refused_in_every_spelling() {
    for host in [
        // 127.0.0.1
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "0x7f.0x0.0x0.0x1",
        "%31%32%37.0.0.1",
        "127%2e0.0.1",
        "127。0。0。1",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127.0.0.1:443",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        // Others.
        "0",
        "0.0.0.0",
        "[::]",
        "10.1",
        "169.254.169.254",
        "2852039166",
        "0251.0376.0251.0376",
        "0xa9fea9fe",
        "[::ffff:a9fe:a9fe]",
        "192.168.257",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "255.255.255.255",
        // Names that mean this host, wherever they are asked for (RFC 6761).
        "localhost",
        "LOCALHOST",
        "localhost.",
        "loc%61lhost",
        "ｌocalhost",
        "api.localhost",
        "api.localhost.:8443",
    ] {
        let url = format!("https://{host}/hooks");
        assert_eq!(Target::parse(&url, false), Err(Refused::Private), "{url}");
        assert!(Target::parse(&url, true).is_ok(), "{url}");
        assert_eq!(Target::parse(&url.replace("https", "http"), false), Err(Refused::NotHttps), "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_url_is_told() {
    for (url, want) in [
        ("", Refused::NotAUrl),
        ("hooks", Refused::NotAUrl),
        ("/hooks", Refused::NotAUrl),
        ("//example.com/hooks", Refused::NotAUrl),
        ("https://", Refused::NotAUrl),
        ("https:///", Refused::NotAUrl),
        ("https://exa mple.com/", Refused::NotAUrl),
        ("https://example.com:65536/", Refused::NotAUrl),
        ("https://256.256.256.256/", Refused::NotAUrl),
        ("https://1.2.3.4.5/", Refused::NotAUrl),
        ("https://[::1", Refused::NotAUrl),
        ("https://[fe80::1%25eth0]/", Refused::NotAUrl),
        ("https://example.com%00.evil.com/", Refused::NotAUrl),
        ("https://exa{mple.com/", Refused::NotAUrl),
        ("http://example.com/", Refused::NotHttps),
        ("ftp://example.com/", Refused::NotHttps),
        ("file:///etc/passwd", Refused::NotHttps),
        ("gopher://127.0.0.1:6379/_x", Refused::NotHttps),
        ("unix:/run/docker.sock", Refused::NotHttps),
        ("example.com:443/hooks", Refused::NotHttps),
        ("https://user@example.com/", Refused::Credentials),
        ("https://:password@example.com/", Refused::Credentials),
        ("https://example.com@127.0.0.1/", Refused::Credentials),
        ("https://example.com:0/", Refused::NoPort),
        ("https://example.com:00/hooks", Refused::NoPort),
        ("https://example.com/#", Refused::Fragment),
        ("https://example.com/hooks#secret", Refused::Fragment),
    ] {
        let refused = Target::parse(url, false).unwrap_err();
        assert_eq!(refused, want, "{url}");
        assert!(!refused.to_string().is_empty() && !refused.help().is_empty());
        if want != Refused::NotHttps {
            assert_eq!(Target::parse(url, true), Err(want), "{url}");
        }
    }
    let long = |length: usize| format!("https://example.com/{}", "x".repeat(length - "https://example.com/".len()));
    assert!(Target::parse(&long(2048), false).is_ok());
    assert_eq!(Target::parse(&long(2049), false), Err(Refused::TooLong));
    assert_eq!(Target::parse("ftp://example.com/", true), Err(Refused::NotHttps));
}

#[test]
fn public_urls_are_taken_in_one_spelling() {
    for (url, want) in [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM:443/Hooks?a=b&c", "https://example.com/Hooks?a=b&c"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https:\\\\example.com\\hooks", "https://example.com/hooks"),
        (" https://example.com/\n", "https://example.com/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.com/a b/ü?q=\"ü\"", "https://example.com/a%20b/%C3%BC?q=%22%C3%BC%22"),
        ("https://example.com/^{}|[]?^{}|[]`", "https://example.com/^%7B%7D|[]?^{}|[]`"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://notlocalhost/", "https://notlocalhost/"),
        ("https://0x8.8.2056/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700:0:0:0:0:1111]/", "https://[2606:4700:4700::1111]/"),
    ] {
        assert_eq!(Target::parse(url, false).map(|target| target.into_uri().to_string()), Ok(want.into()), "{url}");
    }
    assert_eq!(
        Target::parse("http://127.1:80/", true).map(|target| target.into_uri().to_string()),
        Ok("http://127.0.0.1/".into())
    );
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Attempts that fail at once, and when they are made.
fn attempts(random: f64, retry_after: Option<Duration>) -> Vec<Duration> {
    let (mut at, mut age) = (Vec::new(), Duration::ZERO);
    while let Some(wait) = next(u32::try_from(at.len()).unwrap(), age, random, retry_after) {
        age += wait;
        at.push(age);
        assert!(at.len() < 100_000, "never given up");
    }
    at
}

#[test]
fn attempts_are_made_for_three_days() {
    let waits = [0, 5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 4 * HOUR, 4 * HOUR];
    let soonest = attempts(0.0, None);
    let mut age = Duration::ZERO;
    for (at, wait) in soonest.iter().zip(waits) {
        age += seconds(wait);
        assert_eq!(*at, age);
    }
    // The first eight take 3 h 42 min 35 s, and 17 times 4 h more are 71 h 42 min 35 s.
    assert_eq!(soonest.len(), 25);
    assert_eq!(soonest.last(), Some(&seconds(71 * HOUR + 42 * MINUTE + 35)));

    // A quarter more each: 4 h 38 min 13.75 s, and 13 times 5 h are 69 h 38 min 13.75 s.
    let latest = attempts(1.0, None);
    assert_eq!(latest.get(1), Some(&Duration::from_millis(6_250)));
    assert_eq!(latest.len(), 21);
    assert_eq!(latest.last(), Some(&Duration::from_millis((69 * HOUR + 38 * MINUTE + 13) * 1_000 + 750)));
}

#[test]
fn retry_after_is_waited_for_within_the_three_days() {
    let wait = |attempts, age, retry_after| next(attempts, seconds(age), 0.0, Some(seconds(retry_after)));
    // The longer of the two.
    assert_eq!(wait(1, 0, 60), Some(seconds(60)));
    assert_eq!(wait(1, 0, 0), Some(seconds(5)));
    assert_eq!(wait(8, 5 * HOUR, 60), Some(seconds(4 * HOUR)));
    // Those who are told the same time do not come all at it, and none before it.
    assert_eq!(next(1, Duration::ZERO, 0.5, Some(seconds(80))), Some(seconds(90)));
    // Never after the third day; then the last attempt is at its end.
    assert_eq!(wait(1, HOUR, 100 * HOUR), Some(seconds(71 * HOUR)));
    assert_eq!(wait(1, 0, u64::MAX), Some(GIVEN_UP_AFTER));
    assert_eq!(next(1, Duration::ZERO, 1.0, Some(Duration::MAX)), Some(GIVEN_UP_AFTER));
    assert_eq!(wait(2, 72 * HOUR, 1), None);
    assert_eq!(attempts(0.3, Some(Duration::MAX)), [Duration::ZERO, GIVEN_UP_AFTER]);
}

#[test]
fn every_event_is_tried_once_and_none_after_the_third_day_again() {
    assert_eq!(next(0, Duration::MAX, 0.5, None), Some(Duration::ZERO));
    assert_eq!(next(0, Duration::ZERO, 0.5, Some(seconds(60))), Some(Duration::ZERO));
    assert_eq!(next(1, Duration::MAX, 0.5, None), None);
    // 4 h before the end one more is made, a second later none.
    assert_eq!(next(8, seconds(68 * HOUR), 1.0, None), Some(seconds(4 * HOUR)));
    assert_eq!(next(8, seconds(68 * HOUR + 1), 0.0, None), None);
    assert_eq!(next(u32::MAX, seconds(HOUR), 0.0, None), Some(seconds(4 * HOUR)));
}

#[test]
fn a_random_number_that_is_none_breaks_nothing() {
    for random in [-1.0, f64::NEG_INFINITY] {
        assert_eq!(next(1, Duration::ZERO, random, None), Some(seconds(5)));
    }
    for random in [2.0, f64::INFINITY] {
        assert_eq!(next(1, Duration::ZERO, random, None), Some(Duration::from_millis(6_250)));
    }
    assert_eq!(next(1, Duration::ZERO, f64::NAN, None), Some(seconds(5)));
}
