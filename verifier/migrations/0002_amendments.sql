-- Contracts have versions, so that one can be amended while checkouts pin what it was. Portable SQL, as in 0001.

ALTER TABLE contracts RENAME TO contracts_0001;

-- Of every contract that a checkout made or amended: which version is the current one. Confirming takes this row.
CREATE TABLE contracts (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
    id              TEXT   NOT NULL,
    version         BIGINT NOT NULL,
    customer_id     TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE INDEX contracts_newest ON contracts (organisation_id, created_at, id);
CREATE INDEX contracts_of_customers ON contracts (organisation_id, customer_id, created_at, id);

-- Never changed: checkouts pin them. The last line of defence: one checkout, one version.
CREATE TABLE contract_versions (
    organisation_id TEXT   NOT NULL REFERENCES organisations (id),
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

-- Portable SQL cannot read JSON, but every body begins {"id":"…36 characters…","customer_id":"…", and an id is printable
-- ASCII: what is left when all but its closing quote has been trimmed tells how long it is.
INSERT INTO contracts (organisation_id, id, version, customer_id, created_at)
SELECT organisation_id, id, 1,
    substr(body, 61, length(substr(body, 61)) - length(ltrim(substr(body, 61),
        '!#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~'))),
    created_at
FROM contracts_0001;

INSERT INTO contract_versions (organisation_id, id, version, checkout_id, body, created_at)
SELECT organisation_id, id, 1, checkout_id, body, created_at FROM contracts_0001;

DROP TABLE contracts_0001;

-- The version of the contract that `preview` amends, where it is stored here; else null, and `catalog_id` has it.
ALTER TABLE checkouts ADD COLUMN contract_version BIGINT;
