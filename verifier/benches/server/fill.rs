//! Many checkouts, written past the server: copies of a real one with ids, times, statuses and customers of their own.
//!
//! They spread over the last 30 days. Those of the last day are pending; of the others 3 of 10 made a contract, 1 was
//! cancelled, 6 expired.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// A month in microseconds.
const SPAN: i64 = 30 * 24 * 3600 * 1_000_000;
/// Rows of a transaction, so that SQLite's log is written back in between.
const AT_A_TIME: i64 = 20_000;

/// Writes `count` checkouts, and gives the ids of a thousand of them.
pub async fn fill(database: &str, count: i64) -> Result<Vec<String>, String> {
    sqlx::any::install_default_drivers();
    write(database, count).await.map_err(|cause| format!("cannot fill {database}: {cause}"))
}

async fn write(database: &str, count: i64) -> Result<Vec<String>, sqlx::Error> {
    let mut connection = AnyConnection::connect(database).await?;
    let is_sqlite = database.starts_with("sqlite:");
    let hex = |number: &str| match is_sqlite {
        true => format!("printf('%012x', {number})"),
        false => format!("lpad(to_hex({number}), 12, '0')"),
    };
    connection.execute(if is_sqlite { "PRAGMA synchronous = OFF" } else { "SET synchronous_commit = off" }).await?;
    let (organisation, real, newest): (String, String, i64) =
        sqlx::query_as("SELECT organisation_id, id, created_at FROM checkouts").fetch_one(&mut connection).await?;
    let contract = if is_sqlite { "json_extract(c.preview, '$.contract')" } else { "(c.preview::json ->> 'contract')" };
    let (step, oldest) = (SPAN / count, newest - SPAN);
    let id = format!(
        "substr({ms}, 1, 8) || '-' || substr({ms}, 9, 4) || '-7000-8000-' || {i}",
        ms = hex("at / 1000"),
        i = hex("i")
    );
    for from in (0..count).step_by(AT_A_TIME as usize) {
        let (to, first) = (count.min(from + AT_A_TIME), oldest + from * step);
        // Both databases know a recursive query, and neither the other's list of numbers.
        let copies = format!(
            "WITH RECURSIVE n(i, at) AS (SELECT CAST({from} AS BIGINT), CAST({first} AS BIGINT) \
             UNION ALL SELECT i + 1, at + {step} FROM n WHERE i + 1 < {to}), \
             copies AS (SELECT i, at, {id} AS new_id, CASE WHEN at > {newest} - {SPAN} / 30 THEN 'pending' \
             WHEN i % 10 < 3 THEN 'contract_created' WHEN i % 10 = 3 THEN 'cancelled' ELSE 'expired' END AS status, \
             'cus_' || (i * 7919 % 100000) AS customer, 'con_' || i AS made FROM n)"
        );
        let of = format!("FROM copies JOIN checkouts c ON c.organisation_id = '{organisation}' AND c.id = '{real}'");
        let mut transaction = connection.begin().await?;
        for insert in [
            format!(
                "INSERT INTO checkouts (organisation_id, id, revision, checkout_status, client_secret, customer_id, \
                 contract_id, catalog_id, contract_version, as_of, previewed_at, request, preview, expires_at, \
                 payment_method_id, created_at, updated_at) {copies} SELECT c.organisation_id, new_id, 2, status, \
                 c.client_secret, customer, CASE status WHEN 'contract_created' THEN made END, c.catalog_id, NULL, \
                 c.as_of, at, c.request, c.preview, at + {SPAN} / 30, NULL, at, at {of}"
            ),
            format!(
                "INSERT INTO contracts (organisation_id, id, version, customer_id, created_at) {copies} \
                 SELECT c.organisation_id, made, 1, customer, at {of} WHERE status = 'contract_created'"
            ),
            format!(
                "INSERT INTO contract_versions (organisation_id, id, version, checkout_id, body, created_at) {copies} \
                 SELECT c.organisation_id, made, 1, new_id, {contract}, at {of} WHERE status = 'contract_created'"
            ),
        ] {
            transaction.execute(AssertSqlSafe(insert)).await?;
        }
        transaction.commit().await?;
    }
    connection.execute(if is_sqlite { "ANALYZE" } else { "VACUUM ANALYZE" }).await?;
    let thousandth = format!(
        "SELECT id FROM checkouts WHERE created_at < {newest} AND (created_at - ({oldest})) / {step} % {every} = 0",
        every = (count / 1000).max(1)
    );
    let ids = sqlx::query_scalar(AssertSqlSafe(thousandth)).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(ids)
}
