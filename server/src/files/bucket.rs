//! Files in a bucket of a server that speaks S3.
//!
//! Requests are signed by `rusty-s3` and sent by a client of their own: the one
//! of `outgoing` takes an answer whole, and asks first whether a stranger's
//! address may be called, where this is the operator's.
//!
//! A file is one object and comes in one request, since its digest and
//! its size are known by then; so nothing half done is ever left in the bucket.

use super::Pieces;
use super::error::FileError;
use super::incoming::{Held, Sealed};
use crate::config::S3Config;
use app::domain::file::Digest;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use reqwest::{Body, Client, Response, StatusCode, header, redirect};
use rusty_s3::{Credentials, S3Action, UrlStyle};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::ReaderStream;

/// How long a signed address may be used: the time of one request.
const SIGNED_FOR: Duration = Duration::from_secs(3_600);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Silence in the middle of an answer after which it is given up.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// How long is waited before a request that failed is sent again.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Characters of a refusal that are told on.
const SAID_KEPT: usize = 300;

/// Files in a bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    prefix: String,
}

impl Bucket {
    /// A bucket that exists. It is not asked for here: a server must come up
    /// although another one is down.
    pub fn open(config: &S3Config) -> Result<Self, FileError> {
        let style = if config.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket =
            rusty_s3::Bucket::new(config.endpoint.clone(), style, config.bucket.clone(), config.region.clone())
                .map_err(|error| FileError::Config(error.to_string()))?;
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(PIECE_WITHIN)
            .no_proxy()
            // A signature is for one address.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(FileError::Unreachable)?;
        let credentials = Credentials::new(config.access_key.expose(), config.secret_key.expose());
        Ok(Self { inner: Arc::new(Inner { client, bucket, credentials, prefix: config.prefix.clone() }) })
    }

    fn key(&self, file: Digest) -> String {
        let name = file.to_string();
        format!("{}{}/{}", self.inner.prefix, &name[..2], &name[2..])
    }

    /// Puts a file in its place.
    pub async fn place(&self, sealed: Sealed) -> Result<(), FileError> {
        let Inner { client, bucket, credentials, .. } = &*self.inner;
        let (key, size) = (self.key(sealed.digest), sealed.size);
        let source = Source::of(&sealed.bytes);
        let put = || async {
            let url = bucket.put_object(Some(credentials), &key).sign(SIGNED_FOR);
            Ok(client.put(url).header(header::CONTENT_LENGTH, size).body(source.body().await?).send().await?)
        };
        checked(repeated(put).await?).await.map(drop)
    }

    /// The bytes of a file.
    pub async fn read(&self, file: Digest, range: Range<u64>) -> Result<Option<Pieces>, FileError> {
        let Inner { client, bucket, credentials, .. } = &*self.inner;
        if range.is_empty() {
            return Ok(Some(futures::stream::empty().boxed()));
        }
        let (key, last) = (self.key(file), range.end - 1);
        let get = || async {
            let url = bucket.get_object(Some(credentials), &key).sign(SIGNED_FOR);
            Ok(client.get(url).header(header::RANGE, format!("bytes={}-{last}", range.start)).send().await?)
        };
        let answer = repeated(get).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let pieces = checked(answer).await?.bytes_stream().map_err(std::io::Error::other);
        Ok(Some(pieces.boxed()))
    }

    /// Deletes a file.
    pub async fn delete(&self, file: Digest) -> Result<(), FileError> {
        let Inner { client, bucket, credentials, .. } = &*self.inner;
        let key = self.key(file);
        let delete = || async {
            let url = bucket.delete_object(Some(credentials), &key).sign(SIGNED_FOR);
            Ok(client.delete(url).send().await?)
        };
        let answer = repeated(delete).await?;
        if answer.status() == StatusCode::NOT_FOUND { Ok(()) } else { checked(answer).await.map(drop) }
    }
}

/// What is sent, as often as it takes.
enum Source {
    Memory(Bytes),
    Disk(PathBuf),
}

impl Source {
    fn of(held: &Held) -> Self {
        match held {
            Held::Memory(bytes) => Self::Memory(Bytes::copy_from_slice(bytes)),
            Held::Disk(file) => Self::Disk(file.path().to_owned()),
        }
    }

    async fn body(&self) -> Result<Body, Interrupted> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone().into()),
            Self::Disk(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.map_err(|error| Interrupted::Here(FileError::disk(path, error)))?;
                Ok(Body::wrap_stream(ReaderStream::new(file)))
            }
        }
    }
}

/// Why a request came to no answer.
enum Interrupted {
    There(reqwest::Error),
    Here(FileError),
}

impl From<reqwest::Error> for Interrupted {
    fn from(error: reqwest::Error) -> Self {
        // Its text may hold the signed address.
        Self::There(error.without_url())
    }
}

/// Sends a request again that found the server busy or out of reach.
async fn repeated<F>(send: impl Fn() -> F) -> Result<Response, FileError>
where
    F: Future<Output = Result<Response, Interrupted>>,
{
    for pause in AGAIN_AFTER {
        match send().await {
            Err(Interrupted::Here(error)) => return Err(error),
            Ok(answer) if !answer.status().is_server_error() => return Ok(answer),
            _ => tokio::time::sleep(pause).await,
        }
    }
    send().await.map_err(|error| match error {
        Interrupted::Here(error) => error,
        Interrupted::There(error) => FileError::Unreachable(error),
    })
}

/// An answer that says yes.
async fn checked(answer: Response) -> Result<Response, FileError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let said = answer.text().await.unwrap_or_default();
    if status == StatusCode::INSUFFICIENT_STORAGE {
        return Err(FileError::Full);
    }
    Err(FileError::Refused { status: status.as_u16(), said: said.chars().take(SAID_KEPT).collect() })
}
