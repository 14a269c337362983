CREATE TABLE IF NOT EXISTS logto_vault (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    field BLOB NOT NULL,
    PRIMARY KEY (id, name)
);
CREATE INDEX IF NOT EXISTS logto_vault_expires_at ON logto_vault (expires_at);
