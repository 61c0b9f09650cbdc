//! What is done again and again without being asked for.
//!
//! Each room is one kind of work. Its step takes no input but where the last
//! one ended, may run twice or on two servers at once, and is small: readers
//! and listeners never feel it. The rules are the service's.

pub mod files;
