//! A mail server that takes what is sent to it, as far as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub struct ReceivedMail {
    /// Whom it is for.
    pub to: Vec<String>,
    /// Head and body.
    pub text: String,
}

/// A mail server on a free port of this machine.
#[derive(Clone)]
pub struct SmtpSink {
    /// Where it listens.
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedMail>>>,
    /// What it answers to `RCPT`.
    answer: Arc<Mutex<&'static str>>,
}

impl SmtpSink {
    /// One that takes everything, and offers no encryption.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let sink = Self { address, received: Arc::default(), answer: Arc::new(Mutex::new("250 well")) };
        let talking = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talking.clone().talk(stream));
            }
        });
        sink
    }

    /// Answers so when it is told whom a mail is for.
    pub fn answer(&self, answer: &'static str) {
        *self.answer.lock().expect("no test panics with it") = answer;
    }

    /// Everything that came.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.received.lock().expect("no test panics with it").clone()
    }

    async fn talk(self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut mail = ReceivedMail::default();
        write.write_all(b"220 sink\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let answer = match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
                "EHLO" | "HELO" => "250 sink",
                "RCPT" => {
                    mail.to.push(line);
                    *self.answer.lock().expect("no test panics with it")
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        mail.text.push_str(&line);
                        mail.text.push('\n');
                    }
                    self.received.lock().expect("no test panics with it").push(std::mem::take(&mut mail));
                    "250 taken"
                }
                "QUIT" => return write.write_all(b"221 bye\r\n").await,
                _ => "250 well",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }
}
