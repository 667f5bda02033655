/** The final state, as seen by the command, the kernel and the applications. */
import { readStacks } from "./evidence.ts"
import { marked, until } from "./processes.ts"
import { environment } from "./scenario.ts"
import { get, type World } from "./World.ts"

export interface Ending {
  readonly deployment: string
  readonly stacks: ReadonlyArray<string>
  /** Percent of the requests by version. */
  readonly traffic: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Processes by stack and version. */
  readonly instances: Readonly<Record<string, number>>
  readonly answers: Readonly<Record<string, string>>
}

const counted = (world: World): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { group, pid, variables } of marked(world.owner)) {
    if (group !== pid) continue
    const key = `${variables.get("SIGNALBOX_STACK") ?? "?"} ${variables.get("SIGNALBOX_VERSION") ?? "?"}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const look = async (world: World, status: Pick<Ending, "deployment" | "stacks">): Promise<Ending> => {
  const held = Object.values(readStacks(world.folder)).toSorted((a, b) => (a.stack < b.stack ? -1 : 1))
  const traffic = held.map(({ releases, stack, weights }) => {
    const shares = Object.entries(weights).filter(([, percent]) => percent > 0)
    return [stack, Object.fromEntries(shares.map(([id, percent]) => [releases[id]?.release.version ?? id, percent]))]
  })
  const answers = await Promise.all(
    held.map(async ({ port, stack }) => {
      const answer = await get(port).then(
        ({ body, status }) => `${status} ${body}`,
        (error: unknown) => String(error)
      )
      return [stack, answer] as const
    })
  )
  return {
    ...status,
    traffic: Object.fromEntries(traffic),
    instances: counted(world),
    answers: Object.fromEntries(answers)
  }
}

/** Looks until it is as expected, or for so long that it never will be. */
export const endingOf = async (world: World, expected?: Ending, patience = 0): Promise<Ending> => {
  const { stderr, stdout } = await world.run(["status", "--environment", environment, "--json"])
  if (stdout === "") throw new Error(`status says nothing: ${stderr}`)
  const { stacks, status } = JSON.parse(stdout) as {
    status: string
    stacks: ReadonlyArray<{ name: string; status: string; release: { version: string } | null }>
  }
  const told = {
    deployment: status,
    stacks: stacks.map((stack) => `${stack.name} ${stack.status} ${stack.release?.version ?? "nothing"}`)
  }
  let ending = await look(world, told)
  if (expected !== undefined && JSON.stringify({ ...expected, ...told }) === JSON.stringify(expected)) {
    await until(
      async () => JSON.stringify((ending = await look(world, told))) === JSON.stringify(expected),
      patience,
      100
    )
  }
  return ending
}
