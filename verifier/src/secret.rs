//! Keys, session tokens and client secrets: made, named and compared.
//!
//! Each is shown once and kept as its SHA-256 only. A key and a token say their id, `sk_`*id*`_`*secret*, so that one is
//! looked up by what is no secret and compared in constant time.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What kind of secret it is, which its first letters tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    SecretKey,
    PublishableKey,
    SessionToken,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Kind::SecretKey => "sk_",
            Kind::PublishableKey => "pk_",
            Kind::SessionToken => "st_",
        }
    }

    /// The name in the database and on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Kind::SecretKey => "secret",
            Kind::PublishableKey => "publishable",
            Kind::SessionToken => "session",
        }
    }
}

/// What was shown once, and what is kept of it.
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) hash: String,
}

impl Secret {
    pub(crate) fn new(kind: Kind) -> Secret {
        let id = Uuid::now_v7();
        let text = format!("{}{}_{}", kind.prefix(), id.simple(), random());
        Secret { id: id.to_string(), hash: hash(&text), text }
    }

    /// The secret of one checkout, which is looked up by the checkout's id.
    pub(crate) fn of_checkout() -> Secret {
        let text = format!("cs_{}", random());
        Secret { id: String::new(), hash: hash(&text), text }
    }
}

/// The kind and id that a secret says; `None` if it is not one of ours.
pub(crate) fn named(text: &str) -> Option<(Kind, String)> {
    let kinds = [Kind::SecretKey, Kind::PublishableKey, Kind::SessionToken];
    let (kind, rest) = kinds.into_iter().find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))?;
    let (id, _) = rest.split_once('_')?;
    Some((kind, Uuid::parse_str(id).ok()?.to_string()))
}

/// Whether this is the secret whose hash is kept.
pub(crate) fn is(text: &str, kept: &str) -> bool {
    hash(text).as_bytes().ct_eq(kept.as_bytes()).into()
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(text: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(text))
}

/// 256 bits of the system's randomness.
fn random() -> String {
    let mut bytes = [0; 32];
    // A system without randomness can keep no secret: there is nothing to go on with.
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_kind_and_id() {
        for kind in [Kind::SecretKey, Kind::PublishableKey, Kind::SessionToken] {
            let secret = Secret::new(kind);
            assert_eq!(named(&secret.text).unwrap(), (kind, secret.id));
            assert!(is(&secret.text, &secret.hash));
            assert!(!is(&format!("{}x", secret.text), &secret.hash));
        }
        assert_ne!(Secret::of_checkout().text, Secret::of_checkout().text);
        for wrong in ["", "sk_", "sk_1_2", "xk_01a20418000000000000000000000000_a", "sk_01a20418-8c68"] {
            assert_eq!(named(wrong), None);
        }
    }
}
