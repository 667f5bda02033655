/**
 * A backend on Cloud Run and a frontend on Firebase Hosting, released as one under load, against a simulator of both:
 *
 *     node_modules/.bin/node examples/gcp-fullstack/main.ts
 *
 * v2 is released; v3 has a frontend that the platform refuses, so both go back; v4 has a backend that does not start, so
 * its frontend is never released. `--requests 2000` is how many requests the shares of each canary step are measured by, `--rate 200` how many are sent
 * in a second.
 */
import { startGcpSimulator } from "@signalbox/provider-gcp/testing"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Visitors } from "./Visitors.ts"

const { values } = parseArgs({
  options: { requests: { type: "string", default: "2000" }, rate: { type: "string", default: "200" } }
})
const requests = Number(values.requests)
const perSecond = Number(values.rate)

const here = fileURLToPath(new URL(".", import.meta.url))
const signalbox = fileURLToPath(new URL("../../packages/cli/dist/signalbox.cjs", import.meta.url))
const service = "projects/shop-prod/locations/europe-west1/services/api"

const work = await mkdtemp(join(tmpdir(), "signalbox-example-"))
const simulator = await startGcpSimulator()
for (const version of ["v1", "v2", "v3"]) {
  simulator.push(`europe-docker.pkg.dev/shop-prod/apps/api:${version}`, { body: version })
}
simulator.push("europe-docker.pkg.dev/shop-prod/apps/api:v4", {
  fails: "The container failed to start and listen on the port defined by PORT=8080."
})
await simulator.hosting.site("shop-prod", "shop")

const env = {
  ...process.env,
  CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: simulator.grpc,
  FIREBASE_HOSTING_API_URL: simulator.hosting.url,
  SIGNALBOX_CONFIG: join(here, "signalbox.config.ts"),
  SIGNALBOX_DIRECTORY: work
}

const start = (line: string, show: boolean) =>
  spawn(process.execPath, [signalbox, ...line.split(" ")], {
    cwd: work,
    env,
    stdio: ["ignore", show ? "inherit" : "ignore", show ? "inherit" : "ignore"]
  })

/** Types a command, shows its output, and checks its exit code. */
const run = async (line: string, wanted = 0, meanwhile: () => Promise<void> = async () => {}): Promise<void> => {
  process.stdout.write(`\n$ signalbox ${line}\n`)
  const child = start(line, true)
  const ended = once(child, "exit")
  try {
    await Promise.race([meanwhile(), ended])
  } catch (error) {
    child.kill()
    throw error
  }
  const [code] = await ended
  if (code !== wanted) throw new Error(`signalbox ${line} ended with ${code}, not ${wanted}`)
}

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Waits until the candidate has that share, measures it by requests, and approves. */
const approveAt = async (percent: number, version: string, visitors: Visitors): Promise<void> => {
  const shares = () => simulator.service(service)?.trafficStatuses.map((target) => target.percent ?? 0) ?? []
  while (!shares().includes(percent)) await sleep(20)
  const answers = await visitors.next(requests)
  const share = (100 * answers.filter(({ backend }) => backend === version).length) / requests
  process.stdout.write(`share of ${version}: ${share.toFixed(1)} % of ${requests} requests, asked for ${percent} %\n`)
  if (Math.abs(share - percent) > 1) throw new Error(`${share} % is not ${percent} %`)
  for (;;) {
    const [code] = await once(start("approve DX6604E --stack api", false), "exit")
    if (code === 0) return
    await sleep(200)
  }
}

try {
  await run("init --id DX6604E")
  await run("deploy --version v1")
  const address = simulator.service(service)!.uri!
  const site = new Visitors(`${simulator.hosting.live("shop")}/api/version`, perSecond / 2)
  const api = new Visitors(address, perSecond / 2)
  site.start()
  api.start()

  const steps = (version: string) => async () => {
    await approveAt(10, version, api)
    await approveAt(50, version, api)
  }
  const shown = async (version: string) => {
    const [answer] = await site.next(1)
    if (answer?.frontend !== version || answer.backend !== version) {
      throw new Error(`the site shows ${answer?.frontend} with the backend ${answer?.backend}, not ${version}`)
    }
  }
  await run("deploy --version v2", 0, steps("v2"))
  await shown("v2")
  await run("deploy --version v3", 3, steps("v3"))
  await shown("v2")
  await run("deploy --version v4", 3)
  await shown("v2")
  await run("status")

  await site.stop()
  await api.stop()
  const released = new Set(
    simulator.hosting.releases("shop").map(({ version }) => version?.labels?.["signalbox-version"])
  )
  const torn = site.answers.filter(({ backend, frontend }) => frontend !== backend).length
  const all = site.answers.length + api.answers.length
  process.stdout.write(
    `\n${all} requests, ${site.dropped + api.dropped} dropped, ${torn} with a frontend on another backend; released: ${[...released].sort().join(", ")}\n`
  )
  if (site.dropped + api.dropped > 0 || torn > 0 || released.has("v3") || released.has("v4")) process.exitCode = 1
  await run("destroy DX6604E --yes")
} finally {
  await simulator.close()
  await rm(work, { recursive: true, force: true })
}
