//! A small memory of what was loaded last.
//!
//! It keeps what never changes, so nothing in it is ever stale.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The values used last, each under its key.
pub(crate) struct Recent<K, V>(Mutex<VecDeque<(K, Arc<V>)>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Recent<K, V> {
        Recent(Mutex::default())
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    const KEPT: usize = 4;

    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.iter().position(|(known, _)| known == key)?;
        let entry = recent.remove(at)?;
        let value = Arc::clone(&entry.1);
        recent.push_front(entry);
        Some(value)
    }

    pub(crate) fn keep(&self, key: K, value: Arc<V>) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front((key, value));
        recent.truncate(Self::KEPT);
    }
}
