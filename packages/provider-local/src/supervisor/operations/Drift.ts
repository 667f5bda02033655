/**
 * Compares a stack with what it should be, and corrects it.
 */
import type { Drift } from "@signalbox/core/spi"
import { type Mutations, refuse } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import { bringIn } from "./Capacity.ts"
import { needSecrets, type Run } from "./Operation.ts"
import { readBack } from "./PublicTraffic.ts"

export const detect = (stack: Stack, configDigest: string): ReadonlyArray<Drift> => {
  const { releases, stable, weights } = stack.state
  const drifts: Array<Drift> = []
  for (const [id, known] of Object.entries(releases)) {
    const running = stack.of(id).filter(({ alive }) => alive).length
    if (known.wanted > 0 && running < known.wanted) {
      drifts.push({
        field: id === stable ? "instances" : `instances of ${known.release.version}`,
        expected: `${known.wanted} running`,
        actual: `${running} running`,
        owned: true
      })
    }
  }
  const known = stable === null ? undefined : releases[stable]
  if (known !== undefined && known.release.configDigest !== configDigest) {
    drifts.push({ field: "config", expected: configDigest, actual: known.release.configDigest, owned: false })
  }
  const print = (shares: Readonly<Record<string, number>>) =>
    Object.entries(shares)
      .filter(([, share]) => share > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, share]) => `${releases[id]?.release.version ?? id} ${share} %`)
      .join(", ")
  const [expected, actual] = [print(weights), print(stack.proxy.balancer.effective())]
  if (expected !== actual)
    drifts.push({ field: "traffic", expected, actual: actual === "" ? "none" : actual, owned: true })
  return drifts
}

export const correct = async (stack: Stack, { fields }: Mutations["correct"], run: Run): Promise<void> => {
  const { releases, stable } = stack.state
  const known = stable === null ? undefined : releases[stable]
  if (fields.includes("config")) {
    refuse({
      _tag: "Unsupported",
      message: "a changed configuration is deployed, not corrected",
      capability: "drift.config"
    })
  }
  if (known === undefined || fields.length === 0) return
  const short = stack.of(known.release.id).filter(({ alive }) => alive).length < known.wanted
  if ((fields.includes("instances") || fields.includes("traffic")) && short) {
    needSecrets(stack, known, known.wanted)
    run.effect(known.release.id)
    await bringIn(stack, known, known.wanted, run)
  }
  if (fields.includes("traffic")) {
    stack.setWeights(stack.state.weights)
    await readBack(stack, run)
  }
}
