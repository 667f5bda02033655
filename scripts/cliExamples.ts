/**
 * An example of each command and the codes that it exits with, for `docs/cli.md`. A test reads each line with the program.
 */
export interface Example {
  readonly lines: ReadonlyArray<string>
  readonly exits: ReadonlyArray<number>
}

/** What every command can end with: the input is wrong, or the store cannot be used. */
const always = [64, 6]
const reading = [0, 4, ...always]
/** A command that carries an execution to its end. */
const running = [0, 1, 2, 3, 4, 7, ...always, 124, 129, 130, 143]
const telling = [0, 1, 4, ...always]

export const examples: Readonly<Record<string, Example>> = {
  init: {
    lines: ["signalbox init", "signalbox init --example  # with a configuration that works"],
    exits: [0, 1, ...always]
  },
  info: { lines: ["signalbox info --json"], exits: reading },
  list: { lines: ["signalbox list --environment production"], exits: [0, ...always] },
  status: {
    lines: ["signalbox status DX6604E --environment production", "signalbox status release-42  # one execution"],
    exits: reading
  },
  deploy: {
    lines: [
      "signalbox deploy --environment production --version v2 --dry-run",
      "signalbox deploy --environment production --version v2 --artifact build/web.tar.gz --correlation-id release-42"
    ],
    exits: running
  },
  "deploy-stack": {
    lines: ["signalbox deploy-stack DX6604E web --environment production --version v2 --strategy canary"],
    exits: running
  },
  rollback: {
    lines: [
      'signalbox rollback --environment production --reason "wrong prices"',
      "signalbox rollback --environment production --to 2026.11.3 --dry-run"
    ],
    exits: running
  },
  destroy: { lines: ["signalbox destroy DX6604E --environment staging --confirm DX6604E"], exits: running },
  "destroy-stack": { lines: ["signalbox destroy-stack DX6604E web --environment staging --yes"], exits: running },
  "can-deploy": {
    lines: [
      "signalbox can-deploy --environment production --version v2",
      "signalbox can-deploy DX6604E --environment production --explain"
    ],
    exits: [0, 2, 4, ...always]
  },
  register: {
    lines: ["id=$(signalbox register --environment production --version v2 --queue fifo)"],
    exits: [0, 1, 2, 4, ...always]
  },
  wait: {
    lines: [
      "signalbox wait release-42 --timeout 30m --hold 5m",
      "signalbox wait --environment production --interval 30s --json"
    ],
    exits: [0, 1, 2, 4, ...always, 124, 129, 130, 143]
  },
  cleanup: {
    lines: ["signalbox cleanup release-42 --status succeeded", "signalbox cleanup --stale"],
    exits: [0, 2, ...always]
  },
  run: {
    lines: [
      "signalbox run --environment production -- npx cdk deploy",
      "signalbox run -e production --stack web --version v2 --queue latest_wins -- ./deploy.sh v2"
    ],
    exits: [0, 1, 2, 4, ...always, 124, 129, 130, 143]
  },
  lock: {
    lines: [
      "signalbox lock show --environment production",
      'signalbox lock hold --environment production --until "2 hours" --reason "the database is moved"',
      'signalbox lock release --environment production --reason "it has moved"'
    ],
    exits: [0, 1, 4, ...always]
  },
  notify: {
    lines: [
      "signalbox notify list --dead",
      "signalbox notify retry  # everything that was given up",
      "signalbox notify flush --watch",
      "signalbox notify test terminal --dry-run",
      'signalbox notify ack 3f2a9c1e --reason "on it"',
      "signalbox notify explain release-42"
    ],
    exits: [0, 1, 4, ...always]
  },
  veto: {
    lines: [
      'signalbox veto v2 --environment production --reason "loses orders"',
      'signalbox veto v2 --lift --reason "it was the cache"'
    ],
    exits: [0, 1, 4, ...always]
  },
  history: {
    lines: ["signalbox history --limit 5 --status rolled_back", "signalbox history --text release-42 --json"],
    exits: [0, 4, ...always]
  },
  watch: {
    lines: ["signalbox watch release-42 --interval 5 --timeout 600"],
    exits: [0, 1, 3, 4, 7, ...always, 124, 129, 130, 143]
  },
  monitor: {
    lines: [
      "signalbox monitor release-42 --stall-after 5m --overdue-after 1h --log-file monitor.log",
      "signalbox monitor DX6604E --environment production --follow"
    ],
    exits: [0, 1, 3, 4, 7, ...always, 129, 130, 143]
  },
  metrics: { lines: ["signalbox metrics --hours 168"], exits: [0, 4, ...always] },
  active: { lines: ["signalbox active"], exits: [0, ...always] },
  events: {
    lines: [
      "signalbox events release-42 --type VerdictReached",
      "signalbox events DX6604E --audit",
      "signalbox events release-42 --follow --json"
    ],
    exits: [...reading, 129, 130, 143]
  },
  trace: { lines: ["signalbox trace release-42"], exits: reading },
  replay: { lines: ["signalbox replay release-42 --set maxErrorCount=5"], exits: reading },
  report: { lines: ["signalbox report --calibration"], exits: reading },
  logs: {
    lines: ["signalbox logs web --environment production --lines 20", "signalbox logs --release 2026.11.3 --follow"],
    exits: [0, 1, 4, ...always, 130, 143]
  },
  health: {
    lines: ["signalbox health --environment production --min-healthy 90 --max-errors 5"],
    exits: [0, 4, 5, 7, ...always]
  },
  pause: { lines: ["signalbox pause release-42"], exits: telling },
  resume: { lines: ["signalbox resume release-42"], exits: telling },
  approve: { lines: ["signalbox approve release-42 --stack web"], exits: telling },
  promote: { lines: ["signalbox promote release-42 --stack web"], exits: telling },
  abort: { lines: ['signalbox abort release-42 --reason "not today"'], exits: telling },
  retry: { lines: ["signalbox retry release-42 --stack web"], exits: telling },
  attach: { lines: ["signalbox attach release-42"], exits: [0, 1, 3, 4, 7, ...always, 129, 130, 143] },
  completions: { lines: ["source <(signalbox completions bash)"], exits: [0, 64] }
}
