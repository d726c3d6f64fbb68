// PouchDB as a peer of `bench_sync.py`: `node pouch.js fill|push FOLDER URL COUNT`; the last line printed is JSON.
// The same facts as our touches, one document each, in LevelDB; pushed in batches of 1,000, its best of those tried.
const fs = require("fs");
const PouchDB = require("pouchdb");

const [what, folder, url, count] = process.argv.slice(2);
const hex = (number, digits) => number.toString(16).padStart(digits, "0");

function touch(n) {
  return {
    _id: `0197f0${hex(n, 6).slice(0, 2)}-${hex(n, 6).slice(2)}-7${hex((n * 7919) % 4096, 3)}-8000-${hex((n * 104729) % 0xffffffffffff, 12)}`,
    seq: n + 1,
    type: "touch",
    site_id: "90000000000001",
    occurred_at: "2026-11-20T07:40:00.000+09:00",
    recorded_at: "2026-11-20T07:40:00.000+09:00",
    payload: {
      card_key: `felica:${hex(n % 300, 16).toUpperCase()}`,
      worker_id: `9100000${String(n % 300).padStart(7, "0")}`,
      direction: n % 2 ? "out" : "in",
      work_day: "2026-11-20",
      assurance: "open",
      reader: "bench:1",
      source: "gate",
      clock: { skew_ms: null, suspect: false },
    },
  };
}

async function main() {
  const db = new PouchDB(`${folder}/events`);
  if (what === "fill") {
    for (let from = 0; from < count; from += 1000) {
      const some = Array.from({ length: Math.min(1000, count - from) }, (_, n) => touch(from + n));
      await db.bulkDocs(some);
    }
    console.log(JSON.stringify({ events: (await db.info()).doc_count }));
  } else {
    const start = process.hrtime.bigint();
    const used = process.cpuUsage();
    const done = await db.replicate.to(`${url}/events`, { batch_size: 1000, batches_limit: 2 });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const more = process.cpuUsage(used);
    const there = (await new PouchDB(`${url}/events`).info()).doc_count;
    const rss = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
    console.log(JSON.stringify({ seconds, cpu: (more.user + more.system) / 1e6, rss_mb: rss, events: done.ok ? there : 0 }));
  }
  await db.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
