//! What can only go wrong with a file.

use super::place::*;
use super::play::*;
use server::store::{Store, StoreUrl};
use sqlx::{Connection, Executor};

#[tokio::test]
async fn a_locked_file_is_busy_and_recovers() {
    on_sqlite(async |place| {
        let StoreUrl::Sqlite(file) = &place.url else { unreachable!("it is SQLite") };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.expect("opens");
        other.execute("begin immediate").await.expect("locks");
        let Err(error) = place.store.begin_group().await else { panic!("the file is locked") };
        assert!(error.is_busy(), "{error}");
        place.store.ping().await.expect("readers do not mind");
        other.execute("commit").await.expect("unlocks");
        setup(&place.store, "bench").await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let not_a_database = folder.path().join("letter.txt");
    std::fs::write(&not_a_database, "Dear reader, ".repeat(500)).expect("writes");
    let cases = [
        (not_a_database.clone(), "not a SQLite database; move it away"),
        (folder.path().to_owned(), "is a folder; give the path of a file in it"),
        (not_a_database.join("holter.db"), "give another path"),
    ];
    for (path, advice) in cases {
        let Err(error) = Store::open(&StoreUrl::Sqlite(path)).await else { panic!("opened, not: {advice}") };
        assert!(error.to_string().contains(advice), "{error}");
    }
    let url = StoreUrl::parse("postgres://nobody@127.0.0.1:1/nothing").expect("a URL");
    let Err(error) = Store::open(&url).await else { panic!("nobody listens there") };
    assert!(error.to_string().contains("127.0.0.1:1 cannot be reached"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_it_and_a_closed_folder_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    on_sqlite(async |place| {
        let StoreUrl::Sqlite(file) = &place.url else { unreachable!("it is SQLite") };
        setup(&place.store, "bench").await;
        let mode = |path: &std::path::Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        let folder = file.parent().expect("it is in a folder");
        assert_eq!((mode(folder), mode(file), mode(&file.with_extension("db-wal"))), (0o700, 0o600, 0o600));
        place.store.close().await;
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o500)).expect("closes the folder");
        // The administrator may write everywhere: then there is nothing to see.
        if std::fs::write(folder.join("probe"), "").is_err() {
            let other = StoreUrl::Sqlite(folder.join("other.db"));
            let Err(error) = Store::open(&other).await else { panic!("the folder is closed") };
            assert!(error.to_string().contains("run the program as the owner"), "{error}");
        }
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).expect("opens the folder");
    })
    .await;
}
