//! Clients of the systems that this one replaces, as they are.

mod robot_board;

mod tm_api;
