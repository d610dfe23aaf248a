//! Secrets, and the signature that proves who sent a message.
//!
//! In: secrets, and what is sent. Out: the value of the header `webhook-signature`, which the [`client`](super::client)
//! sends. The scheme is that of Standard Webhooks 1.0, symmetric: HMAC-SHA256 of `id.timestamp.body`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::io;

const PREFIX: &str = "whsec_";

/// What one endpoint's messages are signed with: 24 to 64 random bytes.
///
/// It prints as `whsec_…`, whole only by [`reveal`](Secret::reveal), so that no log holds one by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one, of 32 bytes of the operating system's randomness.
    ///
    /// # Errors
    /// The operating system has none to give.
    pub fn generate() -> io::Result<Secret> {
        let mut key = vec![0; 32];
        getrandom::fill(&mut key)?;
        Ok(Secret(key))
    }

    /// Reads `whsec_` and the base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// It is something else; the error does not repeat it.
    pub fn parse(text: &str) -> Result<Secret, NotASecret> {
        let key = text.strip_prefix(PREFIX).and_then(|key| BASE64_STANDARD.decode(key).ok()).ok_or(NotASecret)?;
        if (24..=64).contains(&key.len()) { Ok(Secret(key)) } else { Err(NotASecret) }
    }

    /// The secret as its owner is shown it, and as [`parse`](Secret::parse) reads it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        // HMAC fills a key that is shorter than the hash's block of 64 bytes with zeros; no secret is longer.
        let mut block = [0; 64];
        block.iter_mut().zip(&self.0).for_each(|(to, from)| *to = *from);
        let hmac = Hmac::<Sha256>::new(&block.into()).chain_update(format!("{id}.{timestamp}.")).chain_update(body);
        format!("v1,{}", BASE64_STANDARD.encode(hmac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_…")
    }
}

/// A text that is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASecret;

impl fmt::Display for NotASecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a webhook secret is `whsec_` and the base64 of 24 to 64 bytes")
    }
}

impl std::error::Error for NotASecret {}

/// The value of `webhook-signature`: one `v1,…` for each secret, with spaces between them.
///
/// Receivers are content with any one that verifies, so a secret can be replaced while both are in use. `timestamp` is in
/// seconds since 1970, and `id` must not hold a full stop: `a.1` at 2 and `a` at 1 would sign the same text.
pub fn sign<'a>(secrets: impl IntoIterator<Item = &'a Secret>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets.into_iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    signatures.join(" ")
}
