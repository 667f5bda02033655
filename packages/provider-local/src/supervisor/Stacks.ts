/**
 * The stacks that a supervisor holds, in memory and in its state.
 */
import { rmSync } from "node:fs"
import { releasesOf } from "./Paths.ts"
import type { StackKey } from "./Protocol.ts"
import { type House, Stack } from "./Stack.ts"
import { keyOf } from "./State.ts"

export class Stacks {
  readonly #house: House
  readonly #held: Map<string, Stack>

  /** Takes over what the state holds. */
  constructor(house: House) {
    this.#house = house
    this.#held = new Map(
      Object.values(house.file.state.stacks).map((state) => [keyOf(state), new Stack(state, house)] as const)
    )
  }

  get all(): ReadonlyArray<Stack> {
    return [...this.#held.values()]
  }

  get(key: StackKey): Stack | undefined {
    return this.#held.get(keyOf(key))
  }

  create({ deploymentId, environment, stack }: StackKey): Stack {
    const made = new Stack(
      {
        deploymentId,
        environment,
        stack,
        port: 0,
        stable: null,
        candidate: null,
        weights: {},
        releases: {},
        instances: [],
        lastChangedAt: Date.now(),
        restarting: null,
        begun: null
      },
      this.#house
    )
    this.#house.file.state.stacks[made.key] = made.state
    this.#held.set(made.key, made)
    return made
  }

  /** Closes its proxy and deletes its files. */
  async forget(stack: Stack): Promise<void> {
    const { file, root, secrets } = this.#house
    if (stack.proxy.port !== undefined) await stack.proxy.close()
    stack.letGo()
    rmSync(releasesOf(root, stack.state), { recursive: true, force: true })
    rmSync(stack.logs, { recursive: true, force: true })
    this.#held.delete(stack.key)
    secrets.forget(stack.key)
    delete file.state.stacks[stack.key]
    await file.save()
  }
}
