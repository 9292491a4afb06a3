CREATE INDEX block_hash_idx ON block (hash);
CREATE TABLE IF NOT EXISTS signed_metadata (
    chain_id NUMERIC(20, 0) NOT NULL,
    contract BYTEA NOT NULL,
    kind TEXT NOT NULL,
    subject BYTEA NOT NULL,
    owner BYTEA NOT NULL,
    nonce BIGINT NOT NULL,
    name TEXT NOT NULL,
    fields JSONB NOT NULL,
    signature BYTEA NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT signed_metadata_pkey PRIMARY KEY (chain_id, contract, kind, subject),
    CONSTRAINT signed_metadata_kind_check CHECK (kind IN ('operator', 'cluster'))
);
CREATE INDEX IF NOT EXISTS signed_metadata_name_idx ON signed_metadata (lower(name) text_pattern_ops);
COMMENT ON TABLE signed_metadata IS 'what owners say of their operators and clusters, signed by them; not from the chain';
COMMENT ON COLUMN signed_metadata.chain_id IS 'chain of the registry';
COMMENT ON COLUMN signed_metadata.contract IS 'registry, 20 bytes';
COMMENT ON COLUMN signed_metadata.kind IS 'operator or cluster';
COMMENT ON COLUMN signed_metadata.subject IS 'operator id as 8 bytes, big endian, or cluster id';
COMMENT ON COLUMN signed_metadata.owner IS 'owner who signed, 20 bytes; it holds only as long as he is the owner';
COMMENT ON COLUMN signed_metadata.nonce IS 'grows with each change, so that no signature counts twice';
COMMENT ON COLUMN signed_metadata.name IS 'what people call it; may be empty';
COMMENT ON COLUMN signed_metadata.fields IS 'everything that was signed, by name';
COMMENT ON COLUMN signed_metadata.signature IS 'of the owner over the typed data (EIP-712)';
COMMENT ON COLUMN signed_metadata.stored_at IS 'when it came';
