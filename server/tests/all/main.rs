//! Every test of the server from outside, as one program: each program of its
//! own would be linked with the whole server again, which costs minutes and
//! gigabytes.

mod agents;
mod api_doc;
mod attachments;
mod faults;
mod feeds;
mod files;
mod harness;
mod health;
mod hooks;
mod ingest;
mod kill;
mod layers;
mod live;
mod mail;
mod migrations;
mod notifications;
mod outgoing;
mod output;
mod people;
mod project;
mod reads;
mod recordings;
mod renames;
mod replaced;
mod report_portal;
mod reports;
mod rights;
mod simulate;
mod statuses;
mod store_contract;
mod walls;
mod work;
