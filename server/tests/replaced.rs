//! Clients of the systems that this one replaces, as they are.

mod harness;

#[path = "replaced/robot_board.rs"]
mod robot_board;

#[path = "replaced/tm_api.rs"]
mod tm_api;
