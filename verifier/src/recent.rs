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
    const BYTES: usize = 256 * 1024 * 1024;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_leaves_first() {
        let recent = Recent::<u32, ()>::default();
        let third = Recent::<u32, ()>::BYTES / 3;
        (0..3).for_each(|key| recent.keep(key, Arc::new(()), third));
        assert!(recent.get(&0).is_some());
        recent.keep(3, Arc::new(()), third);
        let kept = |key| recent.get(&key).is_some();
        assert_eq!([kept(0), kept(1), kept(2), kept(3)], [true, false, true, true]);
        recent.keep(4, Arc::new(()), usize::MAX / 2);
        assert_eq!([kept(0), kept(3), kept(4)], [false, false, true]);
    }
}
