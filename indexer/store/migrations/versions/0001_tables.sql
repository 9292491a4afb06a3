CREATE TABLE block (
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    timestamp_s BIGINT NOT NULL,
    log_count INTEGER NOT NULL,
    CONSTRAINT block_pkey PRIMARY KEY (number)
);
CREATE INDEX block_empty_idx ON block (number) WHERE log_count = 0;
COMMENT ON TABLE block IS 'blocks with logs of the registry, and the newest 129 whatever they hold';
COMMENT ON COLUMN block.number IS 'block number';
COMMENT ON COLUMN block.hash IS 'block hash, 32 bytes';
COMMENT ON COLUMN block.timestamp_s IS 'seconds of the unix epoch';
COMMENT ON COLUMN block.log_count IS 'logs of the registry in it';
CREATE TABLE log (
    block_number BIGINT NOT NULL,
    log_index INTEGER NOT NULL,
    transaction_index INTEGER NOT NULL,
    transaction_hash BYTEA NOT NULL,
    block_hash BYTEA NOT NULL,
    topics BYTEA NOT NULL,
    data BYTEA NOT NULL,
    name TEXT,
    undecodable TEXT,
    args JSONB,
    owner BYTEA,
    operator_ids BIGINT[],
    cluster_id BYTEA,
    validator_key BYTEA,
    refusal TEXT,
    nonce BIGINT,
    deposit_wei NUMERIC(78, 0),
    CONSTRAINT log_pkey PRIMARY KEY (block_number, log_index)
);
CREATE INDEX log_name_idx ON log (name, block_number, log_index);
CREATE INDEX log_cluster_idx ON log (cluster_id, block_number, log_index) WHERE cluster_id IS NOT NULL;
CREATE INDEX log_operators_idx ON log USING gin (operator_ids);
CREATE INDEX log_validator_idx ON log (validator_key, block_number, log_index) WHERE validator_key IS NOT NULL;
CREATE UNIQUE INDEX log_registration_key ON log (owner, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX log_transaction_idx ON log (transaction_hash);
CREATE INDEX log_refused_idx ON log (block_number, log_index) WHERE refusal IS NOT NULL;
CREATE INDEX log_owner_idx ON log (owner, block_number, log_index) WHERE owner IS NOT NULL;
COMMENT ON TABLE log IS 'every log of the registry as read, with what it says and what it did';
COMMENT ON COLUMN log.block_number IS 'block of the log';
COMMENT ON COLUMN log.log_index IS 'place within the block';
COMMENT ON COLUMN log.transaction_index IS 'place of its transaction within the block';
COMMENT ON COLUMN log.transaction_hash IS 'transaction hash, 32 bytes';
COMMENT ON COLUMN log.block_hash IS 'block hash, 32 bytes';
COMMENT ON COLUMN log.topics IS 'topics, 32 bytes each, one after the other';
COMMENT ON COLUMN log.data IS 'ABI encoding of the arguments that are not indexed; shares are here only';
COMMENT ON COLUMN log.name IS 'event name; NULL: undecodable';
COMMENT ON COLUMN log.undecodable IS 'why it is no event of the registry, of a closed list';
COMMENT ON COLUMN log.args IS 'arguments by ABI name without shares; whole numbers as decimal text, bytes and addresses as 0x and lower case hex, the cluster struct as an object';
COMMENT ON COLUMN log.owner IS 'owner named by the event, also as the operator''s';
COMMENT ON COLUMN log.operator_ids IS 'operators named by the event, as in the event';
COMMENT ON COLUMN log.cluster_id IS 'cluster concerned, 32 bytes';
COMMENT ON COLUMN log.validator_key IS 'public key of the validator named, any length';
COMMENT ON COLUMN log.refusal IS 'why nodes do not act on this registration, of a closed list';
COMMENT ON COLUMN log.nonce IS 'owner nonce that this registration used up';
COMMENT ON COLUMN log.deposit_wei IS 'what a registration or reactivation paid in, inferred from the balance; 0 for all but the first log of a bulk call';
ALTER TABLE log ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE operator_version (
    operator_id BIGINT NOT NULL,
    owner BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    fee_units NUMERIC(78, 0) NOT NULL,
    index_units NUMERIC(78, 0) NOT NULL,
    credit_units NUMERIC(78, 0) NOT NULL,
    account_block BIGINT NOT NULL,
    effective_balance_eth BIGINT NOT NULL,
    validator_count BIGINT NOT NULL,
    is_private BOOLEAN NOT NULL,
    whitelisting_contract BYTEA,
    declared_fee_units NUMERIC(20, 0),
    declared_at BIGINT,
    declared_begin_s NUMERIC(20, 0),
    declared_end_s NUMERIC(20, 0),
    removed_at BIGINT,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT operator_version_pkey PRIMARY KEY (operator_id, valid_from),
    CONSTRAINT operator_version_range_check CHECK (valid_to > valid_from)
);
CREATE INDEX operator_version_owner_current_idx ON operator_version USING btree (owner, operator_id) WHERE valid_to IS NULL;
CREATE INDEX operator_version_valid_from_idx ON operator_version USING brin (valid_from);
CREATE INDEX operator_version_fee_current_idx ON operator_version USING btree (fee_units, operator_id) WHERE valid_to IS NULL;
CREATE INDEX operator_version_validators_current_idx ON operator_version USING btree (validator_count, operator_id) WHERE valid_to IS NULL;
CREATE INDEX operator_version_public_key_current_idx ON operator_version USING hash (public_key) WHERE valid_to IS NULL;
CREATE INDEX operator_version_valid_to_idx ON operator_version (valid_to) WHERE valid_to IS NOT NULL;
CREATE UNIQUE INDEX operator_version_current_key ON operator_version (operator_id) WHERE valid_to IS NULL;
COMMENT ON TABLE operator_version IS 'operators and their accounts';
COMMENT ON COLUMN operator_version.operator_id IS 'on-chain id, from 1';
COMMENT ON COLUMN operator_version.owner IS 'owner, 20 bytes';
COMMENT ON COLUMN operator_version.public_key IS 'as registered, normally an ABI-encoded text';
COMMENT ON COLUMN operator_version.fee_units IS 'fee per block and 32 ETH';
COMMENT ON COLUMN operator_version.index_units IS 'sum of the fee over all blocks up to account_block';
COMMENT ON COLUMN operator_version.credit_units IS 'earnings not yet withdrawn, settled at account_block';
COMMENT ON COLUMN operator_version.account_block IS 'block of the last settlement';
COMMENT ON COLUMN operator_version.effective_balance_eth IS 'sum over its active clusters';
COMMENT ON COLUMN operator_version.validator_count IS 'sum over its active clusters';
COMMENT ON COLUMN operator_version.is_private IS 'only admitted owners may register with it';
COMMENT ON COLUMN operator_version.whitelisting_contract IS 'contract that admits owners, 20 bytes';
COMMENT ON COLUMN operator_version.declared_fee_units IS 'announced fee per block and 32 ETH, if any';
COMMENT ON COLUMN operator_version.declared_at IS 'block of the announcement';
COMMENT ON COLUMN operator_version.declared_begin_s IS 'first second in which it can be executed';
COMMENT ON COLUMN operator_version.declared_end_s IS 'last second in which it can be executed';
COMMENT ON COLUMN operator_version.removed_at IS 'block of the removal; NULL: it exists';
COMMENT ON COLUMN operator_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN operator_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN operator_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE whitelist_version (
    operator_id BIGINT NOT NULL,
    address BYTEA NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT whitelist_version_pkey PRIMARY KEY (operator_id, address, valid_from),
    CONSTRAINT whitelist_version_range_check CHECK (valid_to > valid_from)
);
CREATE INDEX whitelist_version_valid_to_idx ON whitelist_version (valid_to) WHERE valid_to IS NOT NULL;
CREATE INDEX whitelist_version_address_current_idx ON whitelist_version USING btree (address, operator_id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX whitelist_version_current_key ON whitelist_version (operator_id, address) WHERE valid_to IS NULL;
CREATE INDEX whitelist_version_valid_from_idx ON whitelist_version USING brin (valid_from);
COMMENT ON TABLE whitelist_version IS 'addresses on an operator''s own list; a row''s existence admits';
COMMENT ON COLUMN whitelist_version.operator_id IS 'on-chain id';
COMMENT ON COLUMN whitelist_version.address IS 'admitted address, 20 bytes';
COMMENT ON COLUMN whitelist_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN whitelist_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN whitelist_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE cluster_version (
    cluster_id BYTEA NOT NULL,
    owner BYTEA NOT NULL,
    operator_ids BIGINT[] NOT NULL,
    sequence BIGINT NOT NULL,
    snapshot_validator_count BIGINT NOT NULL,
    snapshot_network_fee_index NUMERIC(20, 0) NOT NULL,
    snapshot_index NUMERIC(20, 0) NOT NULL,
    snapshot_active BOOLEAN NOT NULL,
    snapshot_balance_wei NUMERIC(78, 0) NOT NULL,
    validator_count BIGINT NOT NULL,
    effective_balance_eth BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT cluster_version_pkey PRIMARY KEY (cluster_id, valid_from),
    CONSTRAINT cluster_version_range_check CHECK (valid_to > valid_from)
);
CREATE UNIQUE INDEX cluster_version_sequence_current_key ON cluster_version (sequence) WHERE valid_to IS NULL;
CREATE INDEX cluster_version_valid_from_idx ON cluster_version USING brin (valid_from);
CREATE INDEX cluster_version_valid_to_idx ON cluster_version (valid_to) WHERE valid_to IS NOT NULL;
CREATE INDEX cluster_version_validators_current_idx ON cluster_version USING btree (validator_count, sequence) WHERE valid_to IS NULL;
CREATE INDEX cluster_version_owner_current_idx ON cluster_version USING btree (owner, sequence) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX cluster_version_current_key ON cluster_version (cluster_id) WHERE valid_to IS NULL;
CREATE INDEX cluster_version_operators_current_idx ON cluster_version USING gin (operator_ids) WHERE valid_to IS NULL;
COMMENT ON TABLE cluster_version IS 'clusters with their struct as last emitted';
COMMENT ON COLUMN cluster_version.cluster_id IS 'keccak-256 of owner and operator ids, 32 bytes';
COMMENT ON COLUMN cluster_version.owner IS 'owner, 20 bytes';
COMMENT ON COLUMN cluster_version.operator_ids IS 'operators, ascending';
COMMENT ON COLUMN cluster_version.sequence IS '1 for the first cluster ever created; never reused';
COMMENT ON COLUMN cluster_version.snapshot_validator_count IS 'struct: validators';
COMMENT ON COLUMN cluster_version.snapshot_network_fee_index IS 'struct: network index at the last settlement';
COMMENT ON COLUMN cluster_version.snapshot_index IS 'struct: sum of operator indexes at the last settlement';
COMMENT ON COLUMN cluster_version.snapshot_active IS 'struct: false after a liquidation';
COMMENT ON COLUMN cluster_version.snapshot_balance_wei IS 'struct: balance after the last settlement';
COMMENT ON COLUMN cluster_version.validator_count IS 'validators recorded';
COMMENT ON COLUMN cluster_version.effective_balance_eth IS 'sum over its validators';
COMMENT ON COLUMN cluster_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN cluster_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN cluster_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE validator_version (
    owner BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    cluster_id BYTEA NOT NULL,
    nonce BIGINT NOT NULL,
    shares_digest BYTEA NOT NULL,
    effective_balance_eth BIGINT NOT NULL,
    last_proof_slot NUMERIC(20, 0) NOT NULL,
    refusal TEXT,
    registered_at BIGINT NOT NULL,
    exit_requested_at BIGINT,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT validator_version_pkey PRIMARY KEY (owner, public_key, valid_from),
    CONSTRAINT validator_version_range_check CHECK (valid_to > valid_from)
);
CREATE INDEX validator_version_refused_current_idx ON validator_version (refusal, registered_at, public_key, owner) WHERE valid_to IS NULL AND refusal IS NOT NULL;
CREATE INDEX validator_version_valid_from_idx ON validator_version USING brin (valid_from);
CREATE UNIQUE INDEX validator_version_current_key ON validator_version (owner, public_key) WHERE valid_to IS NULL;
CREATE INDEX validator_version_public_key_current_idx ON validator_version USING btree (public_key, owner) WHERE valid_to IS NULL;
CREATE INDEX validator_version_cluster_current_idx ON validator_version USING btree (cluster_id, registered_at, public_key) WHERE valid_to IS NULL;
CREATE INDEX validator_version_newest_current_idx ON validator_version USING btree (registered_at, public_key, owner) WHERE valid_to IS NULL;
CREATE INDEX validator_version_valid_to_idx ON validator_version (valid_to) WHERE valid_to IS NOT NULL;
COMMENT ON TABLE validator_version IS 'registrations; two owners may register one key, nodes act on at most one of them. The shares are in the log with the same owner and nonce';
COMMENT ON COLUMN validator_version.owner IS 'owner, 20 bytes';
COMMENT ON COLUMN validator_version.public_key IS 'validator''s public key, 48 bytes';
COMMENT ON COLUMN validator_version.cluster_id IS 'its cluster, 32 bytes';
COMMENT ON COLUMN validator_version.nonce IS 'owner nonce that the registration used up, which its signature must be over';
COMMENT ON COLUMN validator_version.shares_digest IS 'SHA-256 of the shares';
COMMENT ON COLUMN validator_version.effective_balance_eth IS 'as last proven, else 32';
COMMENT ON COLUMN validator_version.last_proof_slot IS 'slot of the last proof, 0 before the first';
COMMENT ON COLUMN validator_version.refusal IS 'why nodes do not act on it, of a closed list; NULL: accepted';
COMMENT ON COLUMN validator_version.registered_at IS 'block of the registration';
COMMENT ON COLUMN validator_version.exit_requested_at IS 'block of the first exit request';
COMMENT ON COLUMN validator_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN validator_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN validator_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE account_version (
    owner BYTEA NOT NULL,
    next_nonce BIGINT NOT NULL,
    fee_recipient BYTEA,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT account_version_pkey PRIMARY KEY (owner, valid_from),
    CONSTRAINT account_version_range_check CHECK (valid_to > valid_from)
);
CREATE INDEX account_version_valid_from_idx ON account_version USING brin (valid_from);
CREATE INDEX account_version_valid_to_idx ON account_version (valid_to) WHERE valid_to IS NOT NULL;
CREATE UNIQUE INDEX account_version_current_key ON account_version (owner) WHERE valid_to IS NULL;
COMMENT ON TABLE account_version IS 'owners of validators';
COMMENT ON COLUMN account_version.owner IS 'owner, 20 bytes';
COMMENT ON COLUMN account_version.next_nonce IS 'registrations so far, refused ones included';
COMMENT ON COLUMN account_version.fee_recipient IS 'receiver of block rewards, 20 bytes; NULL: never set';
COMMENT ON COLUMN account_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN account_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN account_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE network_version (
    fee_units NUMERIC(78, 0) NOT NULL,
    index_units NUMERIC(78, 0) NOT NULL,
    credit_units NUMERIC(78, 0) NOT NULL,
    account_block BIGINT NOT NULL,
    effective_balance_eth BIGINT NOT NULL,
    validator_count BIGINT NOT NULL,
    uncovered_debt_units NUMERIC(78, 0) NOT NULL,
    liquidation_period_blocks NUMERIC(20, 0) NOT NULL,
    minimum_collateral_wei NUMERIC(78, 0) NOT NULL,
    fee_increase_limit_per_10000 NUMERIC(20, 0) NOT NULL,
    declare_period_s NUMERIC(20, 0) NOT NULL,
    execute_period_s NUMERIC(20, 0) NOT NULL,
    maximum_operator_fee_wei NUMERIC(78, 0) NOT NULL,
    minimum_operator_fee_wei NUMERIC(78, 0) NOT NULL,
    validators_per_operator_limit NUMERIC(20, 0) NOT NULL,
    beacon_verifier BYTEA,
    verifier_is_frozen BOOLEAN NOT NULL,
    implementation BYTEA,
    upgrades_renounced BOOLEAN NOT NULL,
    contract_owner BYTEA,
    pending_contract_owner BYTEA,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    log_index INTEGER NOT NULL,
    CONSTRAINT network_version_pkey PRIMARY KEY (valid_from),
    CONSTRAINT network_version_range_check CHECK (valid_to > valid_from)
);
CREATE UNIQUE INDEX network_version_current_key ON network_version ((valid_to IS NULL)) WHERE valid_to IS NULL;
CREATE INDEX network_version_valid_to_idx ON network_version (valid_to) WHERE valid_to IS NOT NULL;
CREATE INDEX network_version_valid_from_idx ON network_version USING brin (valid_from);
COMMENT ON TABLE network_version IS 'the network''s own account and what governance sets; one row per block that changed it';
COMMENT ON COLUMN network_version.fee_units IS 'fee per block and 32 ETH';
COMMENT ON COLUMN network_version.index_units IS 'sum of the fee over all blocks up to account_block';
COMMENT ON COLUMN network_version.credit_units IS 'earnings not yet withdrawn, settled at account_block';
COMMENT ON COLUMN network_version.account_block IS 'block of the last settlement';
COMMENT ON COLUMN network_version.effective_balance_eth IS 'sum over all active clusters';
COMMENT ON COLUMN network_version.validator_count IS 'sum over all active clusters';
COMMENT ON COLUMN network_version.uncovered_debt_units IS 'usage that nobody has paid for';
COMMENT ON COLUMN network_version.liquidation_period_blocks IS 'blocks that a balance must last';
COMMENT ON COLUMN network_version.minimum_collateral_wei IS 'balance below which a cluster can be liquidated';
COMMENT ON COLUMN network_version.fee_increase_limit_per_10000 IS 'most by which an operator fee may grow';
COMMENT ON COLUMN network_version.declare_period_s IS 'seconds between an announced fee and its window';
COMMENT ON COLUMN network_version.execute_period_s IS 'seconds of the window';
COMMENT ON COLUMN network_version.maximum_operator_fee_wei IS 'per block and 32 ETH';
COMMENT ON COLUMN network_version.minimum_operator_fee_wei IS 'per block and 32 ETH';
COMMENT ON COLUMN network_version.validators_per_operator_limit IS 'most validators of one operator';
COMMENT ON COLUMN network_version.beacon_verifier IS 'contract that checks proofs, 20 bytes';
COMMENT ON COLUMN network_version.verifier_is_frozen IS 'the verifier never changes again';
COMMENT ON COLUMN network_version.implementation IS 'code that the proxy runs, 20 bytes';
COMMENT ON COLUMN network_version.upgrades_renounced IS 'the code never changes again';
COMMENT ON COLUMN network_version.contract_owner IS 'who governs, 20 bytes';
COMMENT ON COLUMN network_version.pending_contract_owner IS 'who may take over, 20 bytes';
COMMENT ON COLUMN network_version.valid_from IS 'first block at whose end the record is like this';
COMMENT ON COLUMN network_version.valid_to IS 'first block at whose end it no longer is; NULL: current';
COMMENT ON COLUMN network_version.log_index IS 'log of block valid_from that made the record what it is';
CREATE TABLE divergence (
    block_number BIGINT NOT NULL,
    log_index INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    aspect TEXT NOT NULL,
    subject TEXT,
    expected TEXT,
    found TEXT,
    CONSTRAINT divergence_pkey PRIMARY KEY (block_number, log_index, ordinal)
);
COMMENT ON TABLE divergence IS 'logs that contradict those before them: a log is missing, or the model is wrong';
COMMENT ON COLUMN divergence.block_number IS 'block of the log';
COMMENT ON COLUMN divergence.log_index IS 'place of the log within the block';
COMMENT ON COLUMN divergence.ordinal IS 'from 0, of the divergences that one log shows';
COMMENT ON COLUMN divergence.aspect IS 'what it is about, of a closed list';
COMMENT ON COLUMN divergence.subject IS 'operator id, or hex of a cluster id, key or address';
COMMENT ON COLUMN divergence.expected IS 'what the logs before it imply';
COMMENT ON COLUMN divergence.found IS 'what the log says';
CREATE TABLE cursor (
    id SMALLINT NOT NULL,
    chain_id NUMERIC(20, 0) NOT NULL,
    contract BYTEA NOT NULL,
    first_block BIGINT NOT NULL,
    number BIGINT,
    hash BYTEA,
    timestamp_s BIGINT,
    oldest BIGINT,
    state_digest BYTEA,
    shares_verified BOOLEAN NOT NULL,
    CONSTRAINT cursor_pkey PRIMARY KEY (id),
    CONSTRAINT cursor_single_check CHECK (id = 1)
);
COMMENT ON TABLE cursor IS 'up to which block the tables tell; written with the rows, in one transaction';
COMMENT ON COLUMN cursor.id IS 'always 1';
COMMENT ON COLUMN cursor.chain_id IS 'chain that is followed';
COMMENT ON COLUMN cursor.contract IS 'registry that is followed, 20 bytes';
COMMENT ON COLUMN cursor.first_block IS 'no log is older';
COMMENT ON COLUMN cursor.number IS 'newest block whose logs are in the tables; NULL: none yet';
COMMENT ON COLUMN cursor.hash IS 'its hash';
COMMENT ON COLUMN cursor.timestamp_s IS 'its time';
COMMENT ON COLUMN cursor.oldest IS 'oldest block that can be gone back to';
COMMENT ON COLUMN cursor.state_digest IS 'SHA-256 over all current records; NULL: not taken';
COMMENT ON COLUMN cursor.shares_verified IS 'nonce signatures were checked';
CREATE TABLE head (
    id SMALLINT NOT NULL,
    number BIGINT NOT NULL,
    safe_number BIGINT,
    safe_hash BYTEA,
    finalized_number BIGINT,
    finalized_hash BYTEA,
    is_caught_up BOOLEAN NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT head_pkey PRIMARY KEY (id),
    CONSTRAINT head_single_check CHECK (id = 1)
);
COMMENT ON TABLE head IS 'the chain as the execution node describes it';
COMMENT ON COLUMN head.id IS 'always 1';
COMMENT ON COLUMN head.number IS 'newest block of the chain';
COMMENT ON COLUMN head.safe_number IS 'newest block that the node calls safe';
COMMENT ON COLUMN head.safe_hash IS 'its hash';
COMMENT ON COLUMN head.finalized_number IS 'newest block that the node calls finalized';
COMMENT ON COLUMN head.finalized_hash IS 'its hash';
COMMENT ON COLUMN head.is_caught_up IS 'there was nothing left to read';
COMMENT ON COLUMN head.seen_at IS 'when the node was asked';
CREATE TABLE reorg (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    old_number BIGINT NOT NULL,
    old_hash BYTEA NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT reorg_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE reorg IS 'reorganisations that were followed';
COMMENT ON COLUMN reorg.id IS 'in order of time';
COMMENT ON COLUMN reorg.old_number IS 'newest block before';
COMMENT ON COLUMN reorg.old_hash IS 'its hash';
COMMENT ON COLUMN reorg.number IS 'block that was gone back to';
COMMENT ON COLUMN reorg.hash IS 'its hash';
COMMENT ON COLUMN reorg.seen_at IS 'when it was undone';
CREATE TABLE integrity (
    block_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    block_hash BYTEA NOT NULL,
    compared INTEGER NOT NULL,
    mismatches INTEGER NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT integrity_pkey PRIMARY KEY (block_number, kind)
);
COMMENT ON TABLE integrity IS 'comparisons with the contract''s views; the newest some thousand are kept';
COMMENT ON COLUMN integrity.block_number IS 'block whose state was compared';
COMMENT ON COLUMN integrity.kind IS 'what was compared with which view, of a closed list';
COMMENT ON COLUMN integrity.block_hash IS 'its hash';
COMMENT ON COLUMN integrity.compared IS 'subjects compared';
COMMENT ON COLUMN integrity.mismatches IS 'subjects that differed';
COMMENT ON COLUMN integrity.checked_at IS 'when';
CREATE TABLE suspect (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    block_number BIGINT NOT NULL,
    expected TEXT NOT NULL,
    found TEXT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT suspect_pkey PRIMARY KEY (kind, subject)
);
COMMENT ON TABLE suspect IS 'what differs from the contract''s views now; a later comparison that agrees removes it';
COMMENT ON COLUMN suspect.kind IS 'as in integrity';
COMMENT ON COLUMN suspect.subject IS 'operator id, or hex of a cluster id or address; empty for the network';
COMMENT ON COLUMN suspect.block_number IS 'block at which it differed last';
COMMENT ON COLUMN suspect.expected IS 'by the tables';
COMMENT ON COLUMN suspect.found IS 'by the contract''s view';
COMMENT ON COLUMN suspect.seen_at IS 'when';
