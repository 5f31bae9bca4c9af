-- The ledger's tables as Sealcam 0.1 made them.
CREATE TABLE cameras (
	id INTEGER NOT NULL,
	alias VARCHAR(16) NOT NULL,
	name VARCHAR(64) NOT NULL,
	kid BLOB NOT NULL,
	public BLOB NOT NULL,
	command BLOB NOT NULL,
	epoch BIGINT NOT NULL,
	enrolled_ns BIGINT NOT NULL,
	head_seq BIGINT NOT NULL,
	head_hash BLOB NOT NULL,
	revision BIGINT NOT NULL,
	silent BOOLEAN NOT NULL,
	boot BLOB,
	counter BIGINT,
	beat_ns BIGINT,
	nonce BLOB,
	newest_seq BIGINT,
	queued BIGINT,
	frame_age_ns BIGINT,
	mode INTEGER,
	firmware VARCHAR(128),
	command_number BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (alias),
	UNIQUE (name),
	UNIQUE (kid)
);

CREATE TABLE content_keys (
	hash BLOB NOT NULL,
	wrapped BLOB NOT NULL,
	PRIMARY KEY (hash)
)
 WITHOUT ROWID;

CREATE TABLE counters (
	alias VARCHAR(16) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	count BIGINT NOT NULL,
	PRIMARY KEY (alias, kind)
);

CREATE TABLE envelopes (
	hash BLOB NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (hash)
);

CREATE TABLE journal (
	place INTEGER NOT NULL,
	event BLOB,
	notice INTEGER,
	PRIMARY KEY (place)
);

CREATE TABLE schema (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);

CREATE TABLE boots (
	camera INTEGER NOT NULL,
	boot BLOB NOT NULL,
	PRIMARY KEY (camera, boot),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);

CREATE TABLE bridges (
	camera INTEGER NOT NULL,
	first BIGINT NOT NULL,
	last BIGINT NOT NULL,
	last_hash BLOB NOT NULL,
	PRIMARY KEY (camera, first, last),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);

CREATE TABLE events (
	hash BLOB NOT NULL,
	camera INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	prev BLOB NOT NULL,
	kind INTEGER NOT NULL,
	status INTEGER NOT NULL,
	incident BLOB,
	arrived_ns BIGINT NOT NULL,
	PRIMARY KEY (hash),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);

CREATE INDEX events_by_incident ON events (camera, incident);

CREATE INDEX events_by_seq ON events (camera, seq);

CREATE INDEX events_waiting ON events (camera, seq) WHERE (status NOT IN (1, 2));

CREATE TABLE incidents (
	camera INTEGER NOT NULL,
	incident BLOB NOT NULL,
	arrived_ns BIGINT NOT NULL,
	PRIMARY KEY (camera, incident),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);

CREATE INDEX ix_incidents_arrived_ns ON incidents (arrived_ns);

CREATE TABLE notices (
	id INTEGER NOT NULL,
	camera INTEGER NOT NULL,
	kind VARCHAR(16) NOT NULL,
	mark VARCHAR(96) NOT NULL,
	first BIGINT NOT NULL,
	last BIGINT NOT NULL,
	at_ns BIGINT NOT NULL,
	times BIGINT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(camera) REFERENCES cameras (id),
	UNIQUE (mark)
);

CREATE TABLE prekeys (
	camera INTEGER NOT NULL,
	number BIGINT NOT NULL,
	public BLOB NOT NULL,
	wrapped BLOB NOT NULL,
	issued_ns BIGINT NOT NULL,
	PRIMARY KEY (camera, number),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);

CREATE TABLE wishes (
	camera INTEGER NOT NULL,
	mode INTEGER NOT NULL,
	asked_ns BIGINT NOT NULL,
	sent_nonce BLOB,
	PRIMARY KEY (camera),
	FOREIGN KEY(camera) REFERENCES cameras (id)
);
