/**
 * A project whose stack the real program deploys to an account of the emulator.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { type Running, start } from "../../../cli/test/running.ts"
import type { Ran } from "../../../cli/test/support.ts"
import { endpoint } from "../emulator.ts"
import { type Platform, platform, region } from "./platform.ts"

export const id = "DX6604E"

/** A configuration with one stack, called `shop-api`. `properties` and `stack` are more lines of YAML. */
export const configuration = (properties = "", stack = "") => `
organization: acme
project: shop
environments: { production: { region: ${region} } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - name: api
    provider: "aws:cloudformation"
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
${stack}
    properties:
      stackName: shop-api
      template: api.json
${properties}
`

export interface Project {
  readonly aws: Platform
  readonly env: Readonly<Record<string, string>>
  readonly run: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => Promise<Ran>
  /** Runs a command that must end with a code, and returns what it said. */
  readonly ends: (code: number, ...args: ReadonlyArray<string>) => Promise<string>
  readonly start: (...args: ReadonlyArray<string>) => Running
  readonly status: () => Promise<string | undefined>
}

export const project = (config: string, more: Readonly<Record<string, string>> = {}): Project => {
  const aws = platform()
  const binary = build()
  writeFileSync(join(aws.directory, "signalbox.config.yaml"), config)
  for (const name of ["core", "provider-aws"]) {
    const link = join(aws.directory, "node_modules/@signalbox", name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), link)
  }
  const env = { AWS_ENDPOINT_URL: endpoint!, AWS_ACCESS_KEY_ID: aws.account, AWS_SECRET_ACCESS_KEY: "test", ...more }
  const run: Project["run"] = (args, now = {}) => binary.run(aws.directory, args, { env: { ...env, ...now } })
  return {
    aws,
    env,
    run,
    ends: async (code, ...args) => {
      const ran = await run(args)
      assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
      return ran.stdout + ran.stderr
    },
    start: (...args) => start(binary, aws.directory, args, env),
    status: async () =>
      (await aws.client.describeStacks({ StackName: "shop-api" }).catch(() => undefined))?.Stacks?.[0]?.StackStatus
  }
}
