-- Portable SQL: what stands here also runs on PostgreSQL. Ids are text (UUIDv7), instants are microseconds since 1970,
-- documents are text, because their bytes count. The organisation comes first in every key.

CREATE TABLE organisations (
    id         TEXT   NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- Until organisations have keys there is this one.
INSERT INTO organisations (id, created_at) VALUES ('default', 0);

-- Snapshots are never changed: checkouts pin them.
CREATE TABLE catalogs (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE TABLE current_catalogs (
    organisation_id TEXT NOT NULL PRIMARY KEY REFERENCES organisations (id),
    catalog_id      TEXT NOT NULL,
    FOREIGN KEY (organisation_id, catalog_id) REFERENCES catalogs (organisation_id, id)
);

-- `request`, `catalog_id`, `as_of` and `created_at` (the engine's `now`) are what `preview` was made from.
CREATE TABLE checkouts (
    organisation_id   TEXT   NOT NULL REFERENCES organisations (id),
    id                TEXT   NOT NULL,
    checkout_status   TEXT   NOT NULL,
    catalog_id        TEXT   NOT NULL,
    as_of             TEXT   NOT NULL,
    request           TEXT   NOT NULL,
    preview           TEXT   NOT NULL,
    expires_at        BIGINT NOT NULL,
    payment_method_id TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, catalog_id) REFERENCES catalogs (organisation_id, id)
);

-- Guests who bought. `body` is the customer as the engine reads it in a catalog.
CREATE TABLE customers (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    customer_data   TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

-- The last line of defence: one checkout, one contract.
CREATE TABLE contracts (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    checkout_id     TEXT   NOT NULL,
    body            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, checkout_id),
    FOREIGN KEY (organisation_id, checkout_id) REFERENCES checkouts (organisation_id, id)
);
