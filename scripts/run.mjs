#!/usr/bin/env node
// Runs a task of this repository on a machine that has only Node 20 and npm: installs what the lockfile names, puts the
// repository's own Node first on PATH, then runs the task. `node scripts/run.mjs` lists the tasks.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const bin = join(root, "node_modules", ".bin")
const cache = join(root, "node_modules", ".cache", "signalbox")
const pnpm = [
  "--yes",
  `pnpm@${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1]}`
]
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
  DO_NOT_TRACK: "1",
  TURBO_TELEMETRY_DISABLED: "1"
}

/** What to say and how to end when a step failed. */
class Failed extends Error {
  /** @param {string} message @param {string} next @param {number} code */
  constructor(message, next, code) {
    super(message)
    this.next = next
    this.code = code
  }
}

/** @param {string} text */
const say = (text) => void process.stderr.write(`${text}\n`)

/**
 * Runs one command. Quiet ones report their duration, and show their output only if they fail.
 * @param {string} name @param {string} command @param {ReadonlyArray<string>} args
 * @param {{ readonly quiet?: boolean, readonly next?: string, readonly allowFailure?: boolean, readonly env?: Record<string, string> }} [options]
 * @returns {Promise<number>}
 */
const step = (name, command, args, { quiet = true, next = "", allowFailure = false, env: more = {} } = {}) =>
  new Promise((resolve, reject) => {
    const started = performance.now()
    /** @type {Array<Buffer>} */
    const output = []
    const child = spawn(command, args, {
      cwd: root,
      env: { ...env, ...more },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit"
    })
    child.stdout?.on("data", (chunk) => output.push(chunk))
    child.stderr?.on("data", (chunk) => output.push(chunk))
    child.on("error", (error) => reject(new Failed(`${name}: ${error.message}`, next, 1)))
    child.on("close", (exit, signal) => {
      const code = exit ?? (signal === "SIGINT" ? 130 : 143)
      if (code === 0 || allowFailure) {
        if (quiet) say(`✓ ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
        return resolve(code)
      }
      if (output.length > 0) process.stderr.write(Buffer.concat(output))
      reject(new Failed(`${name} failed: ${[command, ...args].join(" ")}`, next, code))
    })
  })

const install = async () => {
  const lock = ["pnpm-lock.yaml", "pnpm-workspace.yaml"].map((file) => readFileSync(join(root, file)))
  const stamp = join(cache, "installed")
  const hash = createHash("sha256").update(Buffer.concat(lock)).digest("hex")
  if (existsSync(join(bin, "node")) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return
  await step("dependencies installed", "npx", [...pnpm, "install", "--frozen-lockfile"], {
    next: "Check that the npm registry is reachable, then run the same command again.",
    env: { CI: "true" }
  })
  mkdirSync(cache, { recursive: true })
  writeFileSync(stamp, hash)
}

const build = () =>
  step(
    "packages built",
    "npx",
    [...pnpm, "exec", "turbo", "run", "build", "--output-logs=errors-only", "--ui=stream"],
    {
      next: "Correct the errors above; `npm run build` repeats this step alone."
    }
  )

/** @param {ReadonlyArray<string>} args */
const test = async (args) => {
  await build()
  mkdirSync(cache, { recursive: true })
  const report = join(cache, "tests.json")
  rmSync(report, { force: true })
  const code = await step(
    "tests",
    "vitest",
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
    { quiet: false, allowFailure: true }
  )
  if (!existsSync(report)) throw new Failed("the tests ended without a report", "Look at the output above.", code || 1)
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: Array<{ status: string, assertionResults: Array<{ status: string }> }> }} */
  const result = JSON.parse(readFileSync(report, "utf8"))
  // A file that could not be loaded has no failed test of its own; it counts as one.
  const unloaded = result.testResults.filter(
    ({ assertionResults, status }) => status === "failed" && !assertionResults.some((test) => test.status === "failed")
  )
  const failed = result.numFailedTests + unloaded.length
  const skipped = result.numPendingTests + result.numTodoTests
  process.stdout.write(
    `${result.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`
  )
  if (code !== 0 || failed > 0) {
    throw new Failed("tests failed", "One file alone: npm test -- packages/core/test/domain/Ids.test.ts", code || 1)
  }
  if (result.numPassedTests === 0) throw new Failed("no test was executed", "Check the path that was given.", 1)
}

const node = ["--disable-warning=ExperimentalWarning"]

const check = () =>
  step("types and diagrams checked", "node", [...node, "scripts/check.ts"], {
    next: "Correct the errors above. Diagrams are drawn again by `node_modules/.bin/node scripts/diagrams.ts`, the API reference by scripts/api.ts."
  })

const lint = async () => {
  await step("oxlint", "oxlint", ["--deny-warnings"], { next: "House rules are explained in CONTRIBUTING.md." })
  await step("oxfmt", "oxfmt", ["--check"], { next: "npm run fmt" })
  await step("knip", "knip", ["--no-config-hints"], { next: "Take out what is unused, or declare what is missing." })
  await build()
  await step("effect diagnostics", "node", [...node, "scripts/effect-diagnostics.ts"], {})
  await step("publint and attw on the packed packages", "node", [...node, "scripts/pack.ts", "--lint"], {})
}

const packTest = async () => {
  await build()
  await step("packed, installed and run", "node", [...node, "scripts/pack-test.ts"], {})
}

/** @type {Record<string, { readonly about: string, readonly run: (args: ReadonlyArray<string>) => Promise<unknown> }>} */
const tasks = {
  demo: {
    about: "deploy, canary, break and roll back an application on this machine",
    run: async (args) => {
      await build()
      await step("demo", "node", [...node, "examples/local-canary/main.ts", ...args], { quiet: false })
    }
  },
  chaos: {
    about: "break real deployments in every way and let a judge decide; see docs/chaos.md",
    run: ([first = "", ...rest]) => {
      const main = new Map([
        ["gcp", "packages/provider-gcp/test/chaos"],
        ["notify", "packages/node/test/notify"],
        ["alb", "packages/provider-aws/test/alb/chaos"]
      ]).get(first)
      const args = main === undefined ? [first, ...rest].filter((one) => one !== "") : rest
      const program = [
        ...node,
        "--conditions=@signalbox/source",
        `${main ?? "packages/cli/test/chaos"}/main.ts`,
        ...args
      ]
      return step("chaos", "node", program, { quiet: false, next: "Each failure above says how to have it again." })
    }
  },
  fuzz: {
    about: "send bytes to both sides of the local provider's proxy: 100,000 exchanges, or as many as given",
    run: (args) =>
      step(
        "fuzz",
        "node",
        [...node, "--conditions=@signalbox/source", "packages/provider-local/test/fuzz/main.ts", ...args],
        { quiet: false, next: "Each failure above names the seed that repeats it." }
      )
  },
  simulate: {
    about: "simulate schedules that no test has seen; see docs/testing-with-simulation.md",
    run: (args) =>
      step(
        "simulate",
        "node",
        [...node, "--conditions=@signalbox/source", "packages/core/test/testing/simulate.ts", ...args],
        {
          quiet: false,
          next: "Each failure above says how to have it again."
        }
      )
  },
  test: { about: "build, then run all tests, or those whose path is given", run: test },
  build: { about: "build all packages", run: build },
  check: {
    about: "check all types, of tests and examples too, and the generated diagrams",
    run: async () => {
      await build()
      await check()
    }
  },
  lint: { about: "oxlint, oxfmt, knip, Effect diagnostics, publint, attw", run: lint },
  fmt: { about: "format all files", run: () => step("formatted", "oxfmt", []) },
  "pack-test": { about: "pack, install into a clean folder, run an example from it", run: packTest },
  ready: {
    about: "all that CI runs",
    run: async () => {
      await test([])
      await check()
      await lint()
      await packTest()
    }
  },
  bench: {
    about: "measure against peers, in one run; installs them into bench/peers first",
    run: async (args) => {
      await build()
      const peers = join(root, "bench", "peers")
      if (!existsSync(join(peers, "node_modules"))) {
        await step("peers installed", "npm", ["install", "--ignore-scripts", "--no-package-lock", "--prefix", peers])
      }
      await step("children bundled", "npx", [...pnpm, "--filter", "./bench", "run", "bundle"])
      const main = ["--conditions=@signalbox/source", "bench/main.ts", ...args]
      await step("bench", "node", [...node, ...main], { quiet: false, next: "A ratio missed its goal; see above." })
    }
  },
  release: {
    about: "take the changesets into versions and changelogs; publishes nothing",
    run: async () => {
      await step("versions and changelogs written", "changeset", ["version"], { quiet: false })
      await step("lockfile brought up to date", "npx", [...pnpm, "install", "--lockfile-only"])
      say('Look at the diff and commit it. Publishing is a step of its own: CONTRIBUTING.md, "Releasing".')
    }
  }
}

const [name = "", ...args] = process.argv.slice(2)
const task = tasks[name]
// Ctrl-C reaches the child directly; this process waits for it and passes its exit code on.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => {})
if (task === undefined) {
  for (const [key, { about }] of Object.entries(tasks)) say(`${key.padEnd(10)} ${about}`)
  process.exitCode = 64
} else {
  try {
    if (Number(process.versions.node.split(".")[0]) < 20) {
      throw new Failed(`Node 20 or later is needed, this is ${process.version}`, "Install a later Node.", 64)
    }
    await install()
    await task.run(args)
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    say(`✗ ${error.message}`)
    if (error.next !== "") say(`  ${error.next}`)
    process.exitCode = error.code
  }
}
