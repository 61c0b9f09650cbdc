//! Files: kept, read and deleted, in a folder and in a bucket.

use crate::harness::TestServer;
use app::domain::file::Digest;
use futures::TryStreamExt;
use server::config::{S3Config, Secret};
use server::service::files::Kept;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use uuid::Uuid;

const DAY: i64 = 86_400;

/// Bytes that are all different and not short.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|place| (place as u8).wrapping_mul(31).wrapping_add(seed) ^ (place >> 8) as u8).collect()
}

async fn read(server: &TestServer, file: Digest, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
    let pieces = server.service().file(file, range).await.expect("the place answers")?;
    Some(pieces.try_collect::<Vec<_>>().await.expect("it can be read").concat())
}

async fn tidied(server: &TestServer) -> u32 {
    let (mut deleted, mut after) = (0, None);
    loop {
        let tidied = server.service().tidy_files(after).await.expect("it can be tidied");
        deleted += tidied.deleted;
        after = tidied.next;
        if after.is_none() {
            return deleted;
        }
    }
}

/// A file in pieces that do not end where ours do.
async fn kept(server: &TestServer, bytes: &[u8]) -> Kept {
    let mut incoming = server.service().begin_file();
    for piece in bytes.chunks(70_001) {
        incoming.write(piece).await.expect("it fits");
    }
    server.service().keep_file(incoming).await.expect("it is kept")
}

async fn files_come_and_go(server: &TestServer) {
    let (small, large) = (bytes(1, 1_000), bytes(2, 3 * 1024 * 1024 + 17));
    for content in [&small, &large, &Vec::new()] {
        let size = content.len() as u64;
        let Kept { file, size: kept_size } = kept(server, content).await;
        assert_eq!((file.0, kept_size), (Sha256::digest(content).into(), size));
        assert_eq!(read(server, file, 0..size).await.as_ref(), Some(content));
        assert_eq!(kept(server, content).await.file, file, "the same again is the same");
    }
    let large = Sha256::digest(&large);
    let middle = read(server, Digest(large.into()), 1_000_000..1_000_010).await;
    assert_eq!(middle.expect("it is there"), bytes(2, 1_000_010)[1_000_000..]);
    assert_eq!(read(server, Digest([9; 32]), 0..10).await, None);

    assert_eq!(tidied(server).await, 0, "they came just now");
    server.pass(DAY + 1);
    let again = server.service().put_file(&small).await.expect("it is kept once more");
    assert_eq!(tidied(server).await, 2, "nothing points at the large and the empty one");
    assert_eq!(read(server, Digest(large.into()), 0..10).await, None);
    assert_eq!(read(server, again.file, 0..1_000).await, Some(small.clone()));
    server.pass(DAY + 1);
    assert_eq!(tidied(server).await, 1);
    let back = server.service().put_file(&small).await.expect("what was deleted may come back");
    assert_eq!(read(server, back.file, 0..1_000).await, Some(small));
}

#[tokio::test]
async fn in_a_folder() {
    let server = TestServer::start().await;
    files_come_and_go(&server).await;
    let left = std::fs::read_dir(server.folder().join("files/incoming")).expect("the folder is there").count();
    assert_eq!(left, 0, "nothing is left half done");
    server.stop().await;
}

#[tokio::test]
async fn in_a_bucket() {
    #[allow(clippy::disallowed_methods, reason = "the test run says where its S3 server is")]
    let Ok(endpoint) = std::env::var("HOLTER_TEST_S3") else {
        eprintln!("HOLTER_TEST_S3 is not set: buckets are left out");
        return;
    };
    let bucket = format!("holter-{}", Uuid::new_v4().simple());
    let config = S3Config {
        endpoint: endpoint.parse().expect("a URL"),
        region: "us-east-1".into(),
        bucket: bucket.clone(),
        prefix: "some/where/".into(),
        path_style: true,
        access_key: Secret::from("key".to_owned()),
        secret_key: Secret::from("secret".to_owned()),
    };
    let server = TestServer::start_with(true, |all| all.files.s3 = Some(config)).await;
    let missing = server.service().put_file(&bytes(1, 1_000)).await.expect_err("there is no such bucket");
    assert!(format!("{missing:?}").contains("NoSuchBucket"), "{missing:?}");
    let made = server.client.put(format!("{endpoint}/{bucket}")).send().await.expect("the server answers");
    assert!(made.status().is_success());
    files_come_and_go(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_too_large_or_never_ends_leaves_nothing() {
    let server = TestServer::start_with(true, |config| config.files.max_mebibytes = 1).await;
    let incoming: PathBuf = server.folder().join("files/incoming");
    let left = || std::fs::read_dir(&incoming).expect("the folder is there").count();
    let mut file = server.service().begin_file();
    file.write(&bytes(3, 600 * 1024)).await.expect("it fits");
    assert_eq!(left(), 1, "it is on the disk by now");
    let refused = file.write(&bytes(3, 600 * 1024)).await.expect_err("it does not fit");
    assert_eq!(refused.to_string(), "a file may have at most 1 MiB");
    drop(file);
    assert_eq!(left(), 0);
    assert_eq!(tidied(&server).await, 0, "it was never known");
    server.stop().await;
}

#[tokio::test]
async fn a_content_that_is_being_deleted_is_not_taken_in_under_way() {
    let server = TestServer::start().await;
    let Kept { file, .. } = server.service().put_file(b"one").await.expect("it is kept");
    server.pass(DAY + 1);
    // Many at once, some of which find it just leaving: at the end it is there.
    for _ in 0..20 {
        let (deleted, kept) = tokio::join!(server.service().tidy_files(None), server.service().put_file(b"one"));
        deleted.expect("it can be tidied");
        assert_eq!(kept.expect("it is kept").file, file);
        assert_eq!(read(&server, file, 0..3).await.as_deref(), Some(&b"one"[..]));
        server.pass(DAY + 1);
    }
    server.stop().await;
}
