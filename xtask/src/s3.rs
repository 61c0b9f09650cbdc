//! A server that speaks S3, for the length of a test run: moto, which keeps
//! buckets in memory and checks requests as the real one does.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::step::step;
use crate::{command, python, root};

const START_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running server; dropping it stops it.
pub struct S3 {
    port: u16,
    child: Child,
}

impl S3 {
    /// Installs it if need be, and starts it without any bucket.
    pub fn start() -> Result<Self> {
        let python = python::environment_of("target/venv-s3", "server/tests/s3-requirements.txt")?;
        step("start an S3 server", || {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let path = root::path("target/s3.log");
            let log = fs::File::create(&path)?;
            let child = command::that_ends_with_us(&python)
                .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()?;
            let mut server = Self { port, child };
            server.wait_until_ready(|| fs::read_to_string(&path).unwrap_or_default())?;
            Ok(server)
        })
    }

    fn wait_until_ready(&mut self, complaint: impl Fn() -> String) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_WITHIN {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the S3 server ended with {status}: {}", complaint());
            }
            sleep(LOOK_EVERY);
        }
        bail!("the S3 server is not ready after {START_WITHIN:?}: {}", complaint())
    }

    /// Where to reach it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let stopped = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = stopped {
            eprintln!("the S3 server was not stopped: {error}");
        }
    }
}
