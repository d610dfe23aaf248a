//! What the verifier is compared with: a server that does nothing but what is compared.
//!
//! It has the verifier's accept loop, runtime, connections and durability, and the typed drivers of sqlx. `POST /insert`
//! stores a row of the size of a stored checkout with one statement; `POST /echo` answers its body, which is as long as a
//! preview.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use checkout_verifier::server::{ConnectionLimits, serve};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The same as the verifier's default.
const CONNECTIONS: u32 = 16;

const TABLE: &str = "CREATE TABLE bare (organisation_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, \
                     created_at BIGINT NOT NULL, PRIMARY KEY (organisation_id, id))";
const INSERT: &str = "INSERT INTO bare (organisation_id, id, document, created_at) VALUES ($1, $2, $3, $4)";

struct Bare {
    store: Store,
    /// As long, and as compressible, as a stored checkout.
    row: String,
    session: String,
}

enum Store {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Serves until it is killed. `folder` holds the texts to store and to answer.
pub async fn run(database: &str, folder: &str) -> Result<(), String> {
    let read = |name| std::fs::read_to_string(format!("{folder}/{name}")).map_err(|cause| format!("{name}: {cause}"));
    let store = open(database).await.map_err(|cause| format!("cannot open {database}: {cause}"))?;
    let bare = Bare { store, row: read("row")?, session: read("session")? };
    let router = Router::new().route("/insert", post(insert)).route("/echo", post(echo)).with_state(Arc::new(bare));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|cause| cause.to_string())?;
    println!("listening on http://{}", listener.local_addr().map_err(|cause| cause.to_string())?);
    let limits = ConnectionLimits { connections: 1024, header_time: Duration::from_secs(30) };
    serve(listener, router, limits, std::future::pending()).await;
    Ok(())
}

async fn open(database: &str) -> Result<Store, sqlx::Error> {
    if database.starts_with("postgres:") {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let pool = pool.connect(database).await?;
        sqlx::query(TABLE).execute(&pool).await?;
        return Ok(Store::Postgres(pool));
    }
    let options = SqliteConnectOptions::from_str(database)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    // SQLite has one writer at a time: waiting for its connection is faster than being refused by it.
    let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false).connect_with(options).await?;
    sqlx::query(TABLE).execute(&pool).await?;
    Ok(Store::Sqlite(pool))
}

async fn insert(State(bare): State<Arc<Bare>>, _body: String) -> Result<impl IntoResponse, StatusCode> {
    let id = uuid::Uuid::now_v7().to_string();
    let organisation = "01a20503-284c-7749-a76b-1b8e9466827b";
    let created_at = chrono::Utc::now().timestamp_micros();
    let inserted = match &bare.store {
        Store::Sqlite(pool) => {
            let insert = sqlx::query(INSERT).bind(organisation).bind(id).bind(&bare.row).bind(created_at);
            insert.execute(pool).await.map(|_| ())
        }
        Store::Postgres(pool) => {
            let insert = sqlx::query(INSERT).bind(organisation).bind(id).bind(&bare.row).bind(created_at);
            insert.execute(pool).await.map(|_| ())
        }
    };
    inserted.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], bare.session.clone()))
}

async fn echo(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}
