-- Portable SQL: the same text runs on SQLite, on PostgreSQL and on what speaks its language. Ids are text (UUIDv7, so
-- that they ascend with time), instants are microseconds since 1970, documents are text, because their bytes count. The
-- organisation comes first in every key and index: nothing is ever looked up without it, and a distributed database can
-- keep what belongs together in one place. `IF NOT EXISTS`, because not every one makes all tables or none.
--
-- What requests write references neither `organisations` nor `catalogs`: it was written by one and made from the other,
-- nothing is ever deleted from them, and on PostgreSQL every such check locks the one row that all requests share.

CREATE TABLE IF NOT EXISTS organisations (
    id              TEXT   NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL,
    -- Origins whose pages may call with this organisation's publishable keys, sessions and client secrets; one a line.
    allowed_origins TEXT   NOT NULL,
    -- 1 if the holder of a checkout's client secret may confirm it.
    client_confirms BIGINT NOT NULL,
    created_at      BIGINT NOT NULL
);

-- Of keys, tokens and client secrets the SHA-256 is kept, in hexadecimal; what an idempotent call answered, and may answer
-- again, is the one exception (`idempotency_keys`).
CREATE TABLE IF NOT EXISTS api_keys (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    hash            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    revoked_at      BIGINT,
    PRIMARY KEY (organisation_id, id)
);

CREATE TABLE IF NOT EXISTS sessions (
    organisation_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    customer_id     TEXT   NOT NULL,
    hash            TEXT   NOT NULL,
    expires_at      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE INDEX IF NOT EXISTS sessions_expiring ON sessions (organisation_id, expires_at);

-- Snapshots are never changed: checkouts pin them.
CREATE TABLE IF NOT EXISTS catalogs (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE TABLE IF NOT EXISTS current_catalogs (
    organisation_id TEXT NOT NULL PRIMARY KEY REFERENCES organisations (id),
    catalog_id      TEXT NOT NULL,
    FOREIGN KEY (organisation_id, catalog_id) REFERENCES catalogs (organisation_id, id)
);

-- `request`, `catalog_id`, `contract_version`, `as_of` and `previewed_at` (the engine's `now`) are what `preview` was made
-- from. Every change raises `revision`, and is made only to the revision that was read. `customer_id` and `contract_id`
-- are those that the session shows. `id` begins with `created_at`, to the microsecond: in its order they are listed.
CREATE TABLE IF NOT EXISTS checkouts (
    organisation_id   TEXT   NOT NULL,
    id                TEXT   NOT NULL,
    revision          BIGINT NOT NULL,
    checkout_status   TEXT   NOT NULL,
    client_secret     TEXT   NOT NULL,
    customer_id       TEXT,
    contract_id       TEXT,
    catalog_id        TEXT   NOT NULL,
    -- The version of the contract that `preview` amends, where it is stored here; else null, and `catalog_id` has it.
    contract_version  BIGINT,
    as_of             TEXT   NOT NULL,
    previewed_at      BIGINT NOT NULL,
    request           TEXT   NOT NULL,
    preview           TEXT   NOT NULL,
    expires_at        BIGINT NOT NULL,
    payment_method_id TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE INDEX IF NOT EXISTS checkouts_by_status ON checkouts (organisation_id, checkout_status, id);
CREATE INDEX IF NOT EXISTS checkouts_by_customer ON checkouts (organisation_id, customer_id, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkouts_by_contract ON checkouts (organisation_id, contract_id, id)
    WHERE contract_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS checkouts_expiring ON checkouts (organisation_id, expires_at)
    WHERE checkout_status IN ('pending', 'payment_failed');

-- Guests who bought. `body` is the customer as the engine reads it in a catalog.
CREATE TABLE IF NOT EXISTS customers (
    organisation_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    customer_data   TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

-- Of every contract that a checkout made or amended: which version is the current one. Confirming takes this row.
CREATE TABLE IF NOT EXISTS contracts (
    organisation_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    customer_id     TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE INDEX IF NOT EXISTS contracts_newest ON contracts (organisation_id, created_at, id);
CREATE INDEX IF NOT EXISTS contracts_of_customers ON contracts (organisation_id, customer_id, created_at, id);

-- Never changed: checkouts pin them. The last line of defence: one checkout, one version.
CREATE TABLE IF NOT EXISTS contract_versions (
    organisation_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    checkout_id     TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id, version),
    UNIQUE (organisation_id, checkout_id),
    FOREIGN KEY (organisation_id, id) REFERENCES contracts (organisation_id, id),
    FOREIGN KEY (organisation_id, checkout_id) REFERENCES checkouts (organisation_id, id)
);

-- A call that was made with an `Idempotency-Key`. `status` is null while it runs, which is until `claimed_until` at most;
-- then it and the rest of the answer are written in the transaction of what the call changes.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    organisation_id TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    fingerprint     TEXT   NOT NULL,
    claim           TEXT   NOT NULL,
    claimed_until   BIGINT NOT NULL,
    status          BIGINT,
    location        TEXT,
    body            TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, idempotency_key)
);

CREATE INDEX IF NOT EXISTS idempotency_keys_by_age ON idempotency_keys (organisation_id, created_at);

CREATE TABLE IF NOT EXISTS webhooks (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    -- In the clear, for messages are signed with it.
    secret          TEXT   NOT NULL,
    -- Those that were replaced less than a day before the last one was, with which messages are signed for a day, too:
    -- `[{"secret", "replaced_at"}]`, the newest first.
    old_secrets     TEXT,
    created_at      BIGINT NOT NULL,
    -- When whoever owns it or its server (410) has had enough.
    disabled_at     BIGINT,
    PRIMARY KEY (organisation_id, id)
);

-- Written in the transaction of the change that each tells of. Its id begins with the instant of the change.
CREATE TABLE IF NOT EXISTS events (
    organisation_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

-- Written with the event: one for every webhook of the organisation. `next_attempt_at` is null once it is delivered or
-- given up, and while an attempt runs the instant at which it is taken to have died.
CREATE TABLE IF NOT EXISTS deliveries (
    organisation_id TEXT   NOT NULL,
    event_id        TEXT   NOT NULL,
    webhook_id      TEXT   NOT NULL,
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT,
    outcome         TEXT,
    PRIMARY KEY (organisation_id, event_id, webhook_id),
    FOREIGN KEY (organisation_id, event_id) REFERENCES events (organisation_id, id)
);

CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (organisation_id, webhook_id, next_attempt_at, event_id)
    WHERE next_attempt_at IS NOT NULL;
