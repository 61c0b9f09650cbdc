//! Order by a number.
//!
//! The library's sort is compiled anew for each type it moves, to some three
//! kilobytes in the browser. Here it moves numbers, whatever is being ordered.

/// The items in the order of their keys; equals stay as they came.
pub fn by_key<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> u64) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let keys = items.iter().map(|item| item.as_ref().map_or(0, &key)).collect();
    places(keys).into_iter().filter_map(|at| items[at].take()).collect()
}

fn places(keys: Vec<u64>) -> Vec<usize> {
    let mut places: Vec<(u64, usize)> = keys.into_iter().zip(0..).collect();
    // No two are the same, so the quicker sort keeps equals in place too.
    places.sort_unstable();
    places.into_iter().map(|(_, at)| at).collect()
}

/// Two numbers as one key: by the first, then by the second.
pub fn pair(first: u32, second: u32) -> u64 {
    (u64::from(first) << 32) | u64::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stay_as_they_came() {
        let items = ["bb", "a", "cc", "d"];
        assert_eq!(by_key(items, |item| item.len() as u64), ["a", "d", "bb", "cc"]);
        assert!(pair(1, u32::MAX) < pair(2, 0));
    }
}
