//! (k) Whether a wrong name is told by the time it takes: as many wrong
//! passwords for names that there are as for names that nobody has, in turns.

use anyhow::{Context, Result, ensure};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::time::Instant;

use crate::Setting;
use crate::http::Connection;
use crate::report::{Bar, Findings, Measure};
use crate::server::{FORM, Server, Way};
use crate::stats::{median, milliseconds};

/// Guesses are held against a name and an address: a proxy that is believed
/// says another address each time.
const CONFIG: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n";

/// How often the pairs are told apart by chance.
const DRAWS: usize = 1_000;

/// Accounts with the password of another one.
const COPY: &str = "insert into users (id, name, role, password, created_at) \
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1) \
    select randomblob(16), 'known' || i, 'viewer', (select password from users where name = 'first'), 0 from n";

/// Measures.
pub async fn measure(setting: &Setting, findings: &mut Findings) -> Result<()> {
    let holter = Server::start_as(setting, Way { config: CONFIG, ..Way::default() }).await?;
    holter.sign_in(setting, "first", "administrator", "four plain words here").await?;
    let tries = setting.pick(1_000_u32, 60);
    let options = SqliteConnectOptions::new().filename(holter.database());
    let mut store = SqliteConnection::connect_with(&options).await?;
    sqlx::query(COPY).bind(tries).execute(&mut store).await.context("no accounts could be made")?;
    store.close().await?;
    let mut connection = Connection::open(holter.process.address).await?;
    let mut pairs = Vec::new();
    for turn in 0..tries {
        let mut pair = [0.0; 2];
        // Every second pair the other way round, so that a drift hits both alike.
        for place in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
            let name = format!("{}{}", ["known", "nobody"][place], turn + 1);
            pair[place] = guess(&mut connection, &name, 2 * turn + u32::from(turn % 2 == place as u32)).await?;
        }
        pairs.push(pair);
    }
    tell(findings, &pairs);
    holter.stop().await?;
    Ok(())
}

/// A wrong password; how long the answer took.
async fn guess(connection: &mut Connection, name: &str, number: u32) -> Result<f64> {
    let [_, b, c, d] = number.to_be_bytes();
    let headers = format!("{FORM}origin: http://127.0.0.1\r\nx-forwarded-for: 10.{b}.{c}.{d}\r\n");
    let body = format!("name={name}&password=not+the+password");
    let begin = Instant::now();
    let answer = connection.send("POST", "/login", &headers, body.as_bytes()).await?;
    let took = milliseconds(begin.elapsed());
    ensure!(answer.status == 401, "a wrong password is answered {}", answer.status);
    Ok(took)
}

fn tell(findings: &mut Findings, pairs: &[[f64; 2]]) {
    let column = |place: usize| pairs.iter().map(|pair| pair[place]).collect::<Vec<_>>();
    let (known, unknown) = (median(&column(0)), median(&column(1)));
    findings.measure(Measure::new("a wrong password of a known name, median", known, "ms"));
    findings.measure(Measure::new("a password of an unknown name, median", unknown, "ms"));
    // What is shown is what is compared.
    let noise = (noise(pairs) * 1_000.0).ceil() / 1_000.0;
    findings.measure(
        Measure::new("  difference of the medians", (known - unknown).abs(), "ms")
            .under(noise, (known - unknown).abs() / noise)
            .bar(Bar::AtMost(noise)),
    );
    findings.note(format!(
        "{} tries each, in turns; no name and no address is tried twice, so that no try waits for one before; the ceiling is \
         noise: of {DRAWS} draws that swap the two of each pair by chance, 95 % have medians that differ by less",
        pairs.len()
    ));
}

/// By how much the medians differ where nothing but chance tells the two apart.
fn noise(pairs: &[[f64; 2]]) -> f64 {
    let mut differences: Vec<f64> = Vec::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..DRAWS {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for pair in pairs {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let swapped = usize::from(state >> 63 == 1);
            one.push(pair[swapped]);
            other.push(pair[1 - swapped]);
        }
        differences.push((median(&one) - median(&other)).abs());
    }
    crate::stats::percentile(&differences, 95.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_from_what_only_scatters() {
        let scatter = |turn: u32| f64::from(turn * 37 % 100) / 100.0;
        let alike: Vec<_> = (0..400).map(|turn| [20.0 + scatter(turn), 20.0 + scatter(turn + 13)]).collect();
        let apart: Vec<_> = alike.iter().map(|[one, other]| [one + 1.0, *other]).collect();
        let differs = |pairs: &[[f64; 2]]| {
            let column = |place: usize| pairs.iter().map(|pair| pair[place]).collect::<Vec<_>>();
            (median(&column(0)) - median(&column(1))).abs() > noise(pairs)
        };
        assert!(!differs(&alike) && differs(&apart));
    }
}
