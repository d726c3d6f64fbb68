CREATE TABLE schema_version (
	version INTEGER NOT NULL
);;
CREATE TABLE client (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	secret_hash BLOB NOT NULL, 
	secret_used_at TEXT, 
	revoked_at TEXT, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);;
CREATE TABLE enrolment_code (
	hash BLOB NOT NULL, 
	role TEXT NOT NULL, 
	site_ids TEXT NOT NULL, 
	uses INTEGER NOT NULL, 
	used INTEGER NOT NULL, 
	expires_at TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	PRIMARY KEY (hash)
);;
CREATE TABLE site (
	id TEXT NOT NULL, 
	fields TEXT NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	change INTEGER NOT NULL, 
	roster_change INTEGER NOT NULL, 
	record_change INTEGER NOT NULL, 
	PRIMARY KEY (id)
);;
CREATE TABLE counter (
	name TEXT NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (name)
);;
CREATE TABLE record_event (
	event_id TEXT NOT NULL, 
	site_id TEXT NOT NULL, 
	worker_id TEXT NOT NULL, 
	work_day TEXT NOT NULL, 
	PRIMARY KEY (event_id)
);;
CREATE INDEX ix_record_event_key ON record_event (site_id, worker_id, work_day);;
CREATE TABLE token (
	hash BLOB NOT NULL, 
	client_id TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	PRIMARY KEY (hash), 
	FOREIGN KEY(client_id) REFERENCES client (id)
);;
CREATE INDEX ix_token_client_id ON token (client_id);;
CREATE TABLE station (
	id TEXT NOT NULL, 
	installation_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	app_version TEXT NOT NULL, 
	enrolled_with BLOB NOT NULL, 
	enrolled_at TEXT NOT NULL, 
	chain_seq INTEGER NOT NULL, 
	chain_hash BLOB NOT NULL, 
	chain_broken BOOLEAN NOT NULL, 
	top_seq INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES client (id), 
	UNIQUE (installation_id), 
	FOREIGN KEY(enrolled_with) REFERENCES enrolment_code (hash)
);;
CREATE TABLE roster_item (
	site_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	change INTEGER NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	fields TEXT NOT NULL, 
	worker_id TEXT, 
	due_on TEXT, 
	PRIMARY KEY (site_id, kind, id), 
	FOREIGN KEY(site_id) REFERENCES site (id)
);;
CREATE INDEX ix_roster_item_change ON roster_item (site_id, change);;
CREATE INDEX ix_roster_item_worker ON roster_item (site_id, kind, worker_id);;
CREATE TABLE work_record (
	site_id TEXT NOT NULL, 
	worker_id TEXT NOT NULL, 
	work_day TEXT NOT NULL, 
	change INTEGER NOT NULL, 
	assurance TEXT NOT NULL, 
	first_in TEXT, 
	last_out TEXT, 
	company_id TEXT, 
	occupation TEXT, 
	role TEXT, 
	events TEXT NOT NULL, 
	received_month TEXT NOT NULL, 
	PRIMARY KEY (site_id, worker_id, work_day), 
	FOREIGN KEY(site_id) REFERENCES site (id)
);;
CREATE INDEX ix_work_record_change ON work_record (site_id, change);;
CREATE TABLE station_site (
	station_id TEXT NOT NULL, 
	site_id TEXT NOT NULL, 
	withdrawn BOOLEAN NOT NULL, 
	change INTEGER NOT NULL, 
	PRIMARY KEY (station_id, site_id), 
	FOREIGN KEY(station_id) REFERENCES station (id), 
	FOREIGN KEY(site_id) REFERENCES site (id)
);;
CREATE TABLE event (
	receipt INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	station_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	site_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	subject TEXT, 
	received_at TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (receipt), 
	UNIQUE (station_id, seq), 
	UNIQUE (id), 
	FOREIGN KEY(station_id) REFERENCES station (id), 
	FOREIGN KEY(site_id) REFERENCES site (id)
);;
CREATE INDEX ix_event_subject ON event (site_id, type, subject);;
CREATE INDEX ix_event_site_receipt ON event (site_id, receipt);;
CREATE TABLE rejected_event (
	station_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	digest BLOB NOT NULL, 
	body BLOB NOT NULL, 
	code TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	first_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	times INTEGER NOT NULL, 
	PRIMARY KEY (station_id, id), 
	UNIQUE (station_id, seq), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);;
CREATE TABLE heartbeat (
	station_id TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (station_id), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);;
CREATE TABLE chain_point (
	station_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (station_id, seq), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);;
CREATE TABLE chain_claim (
	station_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (station_id, seq, hash), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);;
CREATE TABLE chain_incident (
	station_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	event_id TEXT NOT NULL, 
	claimed BLOB NOT NULL, 
	known BLOB NOT NULL, 
	first_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	times INTEGER NOT NULL, 
	PRIMARY KEY (station_id, kind, seq, event_id), 
	FOREIGN KEY(station_id) REFERENCES station (id)
);;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event is append-only'); END
