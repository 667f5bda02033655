/**
 * A project whose commands are killed at random moments while they change a stack of CloudFormation.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import { spawn } from "node:child_process"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { cleanEnvironment } from "../../../cli/test/bundle.ts"
import { chance } from "../../../cli/test/chaos/chance.ts"
import { endpoint } from "../emulator.ts"
import { type Platform, platform, region, templateOf } from "../cloudformation/platform.ts"
import { begun, disturbed, duplicates, foreign } from "./judge.ts"
import { type Kind, type Operation, operation, theirs } from "./operations.ts"

const id = "DX6604E"
const stackName = "the-api"
const bystander = "bystander"

const yaml = `
organization: acme
project: shop
environments: { production: { region: ${region} } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - name: api
    provider: "aws:cloudformation"
    onBusy: wait
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { stackName: ${stackName}, template: api.json, capabilities: [CAPABILITY_IAM] }
`

/** What all worlds of a run share. `left` is how many kills are still to come. */
export interface Run {
  readonly program: string
  readonly seed: number
  left: number
  readonly kills: Map<Kind, number>
  readonly operations: Map<Kind, number>
  /** How long a command of a kind takes, in milliseconds. */
  readonly typical: Map<Kind, number>
  readonly problems: Array<string>
}

export const newRun = (program: string, seed: number, kills: number): Run => ({
  program,
  seed,
  left: kills,
  kills: new Map(),
  operations: new Map(),
  typical: new Map(),
  problems: []
})

const count = (counts: Map<Kind, number>, kind: Kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1)

interface Ended {
  readonly killed: boolean
  readonly code: number | null
  readonly said: string
}

/** Changes one stack in an account of its own, until all kills of the run have happened. */
export const world = async (run: Run, number: number): Promise<ReadonlyArray<string>> => {
  const aws = platform()
  const draw = chance(run.seed, "world", number)
  const problem = (what: string) => void run.problems.push(`world ${number}: ${what}`)
  const env = { AWS_ENDPOINT_URL: endpoint!, AWS_ACCESS_KEY_ID: aws.account, AWS_SECRET_ACCESS_KEY: "test" }

  /** Runs a command, and kills it after so many milliseconds. */
  const command = (args: ReadonlyArray<string>, killAfter?: number): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [run.program, ...args], {
        cwd: aws.directory,
        env: { ...cleanEnvironment(), HOME: aws.directory, ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let said = ""
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)))
      const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfter)
      child.on("error", reject)
      child.on("close", (code, signal) => {
        clearTimeout(timer)
        resolve({ killed: signal === "SIGKILL", code, said })
      })
    })

  /** Gives the command until it ends by itself, and kills it up to `kills` times before. */
  const carryOut = async ({ args, code: wanted, kind }: Operation, name: string, kills: number): Promise<void> => {
    for (let left = kills; ;) {
      const typical = run.typical.get(kind) ?? 2_500
      const started = performance.now()
      const ended = await command(
        [...args, "--correlation-id", name],
        left > 0 && run.left > 0 ? draw.int(0, typical) : undefined
      )
      if (ended.killed) {
        left -= 1
        run.left -= 1
        count(run.kills, kind)
        continue
      }
      // One that only reads how it has ended already takes less time.
      if (left === kills) run.typical.set(kind, Math.round((typical + performance.now() - started) / 2))
      if (ended.code !== wanted) problem(`${kind} ${name} ended with ${ended.code}, not ${wanted}: ${ended.said}`)
      return
    }
  }

  const must = async (...args: ReadonlyArray<string>) => {
    const { code, said } = await command(args)
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${said}`)
  }
  const eventsOf = async (stack: string) => [...(await aws.events(stack))].reverse()
  // The emulator forgets a stack that was deleted once there is another one of its name.
  const all = new Map<string, StackEvent>()
  const look = async (): Promise<ReadonlyArray<StackEvent>> => {
    for (const event of await eventsOf(stackName)) all.set(event.EventId!, event)
    return [...all.values()]
  }

  try {
    writeFileSync(join(aws.directory, "signalbox.config.yaml"), yaml)
    const link = join(aws.directory, "node_modules/@signalbox/provider-aws")
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), link)
    aws.write("api.json", templateOf("v0"))
    await must("init", "--id", id)
    await aws.client.createStack({
      StackName: bystander,
      TemplateBody: JSON.stringify({ Resources: { Topic: { Type: "AWS::SNS::Topic" } } })
    })
    let live: string | undefined
    let back: string | undefined
    let before = (await eventsOf(bystander)).length
    for (let round = 1; run.left > 0 || round <= 3; round++) {
      const possible: ReadonlyArray<Kind> =
        live === undefined
          ? ["create"]
          : ["update", "slow", "broken", "busy", ...(back === undefined ? [] : (["rollback"] as const)), "destroy"]
      const kind = draw.one(possible)
      const name = `w${number}-${round}`
      const one = operation(kind, { live, back, version: name })
      if (one.template !== undefined) aws.write("api.json", one.template)
      const known = new Set(begun(await look()))
      if (kind === "busy") await disturb(aws, name)
      await carryOut(one, name, draw.int(1, 3))
      count(run.operations, kind)
      const events = await look()
      const own = begun(events).filter((token) => !known.has(token) && !token.startsWith(foreign))
      if (own.length !== 1) problem(`${kind} ${name} began ${own.length} operations: ${own.join(" ")}`)
      const now = await aws.version()
      if (now !== one.version) problem(`${kind} ${name} left ${now}, not ${one.version}`)
      for (const what of [...duplicates(events), ...disturbed(events)]) problem(`${kind} ${name}: ${what}`)
      back = kind === "busy" ? `${foreign}${name}` : one.code === 0 && kind !== "rollback" ? live : undefined
      live = one.version
    }
    const { StackSummaries = [] } = await aws.client.listStacks({})
    const others = StackSummaries.filter(({ StackName }) => StackName !== stackName && StackName !== bystander)
    for (const { StackName } of others) problem(`there is a stack ${StackName} that was never asked for`)
    before -= (await eventsOf(bystander)).length
    if (before !== 0) problem(`the stack of others has ${-before} new events`)
    return begun(await look())
  } finally {
    aws.close()
  }
}

/** Others begin an update of the stack. */
const disturb = async ({ client }: Platform, name: string): Promise<void> => {
  await client.updateStack({
    StackName: stackName,
    TemplateBody: JSON.stringify(theirs(`${foreign}${name}`)),
    Capabilities: ["CAPABILITY_IAM"],
    ClientRequestToken: `${foreign}${name}`
  })
}
