/**
 * The simulator as a process of its own, for the real command: `node <package>/dist/testing/main.js --seed`.
 */
import { parseArgs } from "node:util"
import { startAwsSimulator } from "./startAwsSimulator.ts"
import type { App } from "./ec2/Apps.ts"

const usage = `main.js [--port 4567] [--scale 1] [--app <source>=<JSON>]… [--seed] [--source s3://shop/v1]

--app    what an image or an address in S3 runs: s3://shop/v2='{"body":"v2","errorRate":0.2}', or {"command":["node","app.js"]}
--seed   make a service that is live already, running --source
`

const options = () => {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "0" },
        scale: { type: "string", default: "1" },
        app: { type: "string", multiple: true, default: [] },
        seed: { type: "boolean", default: false },
        source: { type: "string", default: "s3://shop/v1" }
      }
    }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(64)
  }
}

const { app, port, scale, seed, source } = options()

const apps = (): Readonly<Record<string, App>> => {
  try {
    return Object.fromEntries(
      app.map((text): [string, App] => {
        const at = text.indexOf("=")
        return [text.slice(0, at), JSON.parse(text.slice(at + 1)) as App]
      })
    )
  } catch (error) {
    process.stderr.write(`--app: ${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(64)
  }
}

const simulator = await startAwsSimulator({ apps: apps(), port: Number(port), scale: Number(scale) })
const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`AWS_ENDPOINT_URL=${simulator.endpoint}`)
say(`AWS_REGION=${simulator.region}`)
if (seed) {
  const service = await simulator.seed({ source })
  say(`SERVICE=${JSON.stringify(service)}`)
  say(`LISTENER_URL=${simulator.listenerUrl(service.listener)}`)
}
say("READY")
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void simulator.close().then(() => process.exit(0)))
}
