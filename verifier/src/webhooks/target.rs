//! Which addresses may be called: whoever names an endpoint must not reach what only this server can.
//!
//! In: a URL, or an IP address that a name leads to. Out: a [`Target`], or why not. URLs are checked when an endpoint is
//! registered and at each attempt; the addresses of a name only while connecting to it, by the
//! [`client`](super::client), so that none can be exchanged between check and use.

use axum::http::Uri;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// A URL that may be called as far as it shows: a name in it may still lead to where nobody may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Uri);

impl Target {
    const LONGEST: usize = 2048;

    /// Reads the URL of an endpoint.
    ///
    /// IP addresses are known in every spelling that browsers take: `https://0x7f.1/`, `https://2130706433/` and
    /// `https://[::ffff:127.0.0.1]/` are all loopback. With `allow_private` every address may be called, and `http`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(url: &str, allow_private: bool) -> Result<Target, Refused> {
        if url.len() > Target::LONGEST {
            return Err(Refused::TooLong);
        }
        let url = Url::parse(url).map_err(|_| Refused::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if allow_private => {}
            _ => return Err(Refused::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        // A port to be given one of, where one listens; nobody can be called there.
        if url.port() == Some(0) {
            return Err(Refused::NoPort);
        }
        let public = match url.host().ok_or(Refused::NotAUrl)? {
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            // Told here what connecting would find out; any other name is asked for only then.
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name != "localhost" && !name.ends_with(".localhost")
            }
        };
        if !public && !allow_private {
            return Err(Refused::Private);
        }
        // Browsers take a few hosts that HTTP does not: `exa{mple.com`.
        url.as_str().parse().map(Target).map_err(|_| Refused::NotAUrl)
    }

    /// The URL in its one spelling, to be stored and shown: `https://0x8.8.2056/` is `https://8.8.8.8/`.
    pub fn into_uri(self) -> Uri {
        self.0
    }
}

/// Why a URL is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// More than 2048 bytes.
    TooLong,
    /// Nothing that could be called.
    NotAUrl,
    /// Another scheme than `https`.
    NotHttps,
    /// It has a user or a password.
    Credentials,
    /// It has a `#`.
    Fragment,
    /// Its port is 0.
    NoPort,
    /// Its host is no public address.
    Private,
}

impl Refused {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Refused::TooLong => "send at most 2048 bytes",
            Refused::NotAUrl => "send a URL such as `https://example.com/webhooks`",
            Refused::NotHttps => "send a URL that begins with `https://`",
            Refused::Credentials => "leave user and password out: receivers know a message by its signature",
            Refused::Fragment => "leave `#` and what follows it out",
            Refused::NoPort => "send a port from 1 to 65535, or none for the usual one",
            Refused::Private => "send a URL whose host the public internet reaches",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::TooLong => "the URL is too long",
            Refused::NotAUrl => "this is not a URL that can be called",
            Refused::NotHttps => "the URL is not one of `https`",
            Refused::Credentials => "the URL has a user or a password",
            Refused::Fragment => "the URL has a fragment",
            Refused::NoPort => "nobody can be called at port 0",
            Refused::Private => "the URL's host is not a public address",
        })
    }
}

impl std::error::Error for Refused {}

/// Whether an address is one of the public internet.
///
/// By the special-purpose registries of IANA, less what only they call reachable: relays and anycast of protocols that no
/// receiver of webhooks listens to. An IPv4 address inside an IPv6 one counts where packets go to it (`::ffff:0:0/96`,
/// and `64:ff9b::/96`, NAT64); other forms, 6to4 and Teredo among them, are refused whatever they hold.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Network, length of its prefix, and what it is.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this host, this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private (RFC 1918)
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // behind a carrier's NAT (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's own services for a machine; nobody else can be there
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, and the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.iter().any(|(network, length)| (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0)
}

/// Inside 2000::/3, outside of which nothing is public.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    if let [0x64, 0xff9b, 0, 0, 0, 0, ..] = address.segments() {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let inside = |network: Ipv6Addr, length: u32| (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0;
    inside(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        && !NOT_PUBLIC_V6.iter().any(|(network, length)| inside(*network, *length))
}
