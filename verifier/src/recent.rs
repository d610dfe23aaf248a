//! A small memory of what was loaded last.
//!
//! It keeps what never changes, so nothing in it is ever stale, and no more than so many bytes of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The values used last, each under its key and with its size.
pub(crate) struct Recent<K, V>(Mutex<VecDeque<(K, Arc<V>, usize)>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Recent<K, V> {
        Recent(Mutex::default())
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    /// Bytes, and values, that are kept at most; the one used last always is.
    const BYTES: usize = 64 * 1024 * 1024;
    const VALUES: usize = 256;

    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.iter().position(|(known, ..)| known == key)?;
        let entry = recent.remove(at)?;
        let value = Arc::clone(&entry.1);
        recent.push_front(entry);
        Some(value)
    }

    pub(crate) fn keep(&self, key: K, value: Arc<V>, size: usize) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front((key, value, size));
        recent.truncate(Self::VALUES);
        let mut bytes: usize = recent.iter().map(|(.., size)| size).sum();
        while bytes > Self::BYTES && recent.len() > 1 {
            bytes = bytes.saturating_sub(recent.pop_back().map_or(0, |(.., size)| size));
        }
    }
}
