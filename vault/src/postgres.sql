CREATE TABLE logto_vault (
    id bytea PRIMARY KEY,
    items jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX logto_vault_expires_at ON logto_vault (expires_at);
