/**
 * Signalbox in a program with its own OpenTelemetry: what the program's exporter receives.
 */
import type { Provider } from "@signalbox/core/spi"
import { spanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { SimulatedProvider } from "@signalbox/core/testing"
import type { Connection } from "@signalbox/node"
import * as Effect from "effect/Effect"
import { describe, expect, it, onTestFinished } from "vitest"
import { idsOf, inSpan, linksOf, startHost, treeOf } from "../support/host.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { configuration, connected, endless, environment, rejected, seen } from "../sdk/support.ts"

const host = (more: { readonly providers?: ReadonlyArray<Provider> } = {}) =>
  connected(temporaryDirectory(onTestFinished), { telemetry: "host", ...more })

const prepared = async (signalbox: Connection, config = configuration()) => {
  const { deploymentId } = await signalbox.deployments.init({ configuration: config })
  return { configuration: config, deploymentId, environment, version: "1.0.0" }
}

describe("a program's exporter", () => {
  it("gets one tree in the trace of the correlation id, even without active spans", async () => {
    const { spans } = startHost({ contexts: false })
    const { signalbox } = await host()
    const request = await prepared(signalbox)
    const { correlationId, done } = await signalbox.deploy(request)
    expect((await done).status).toBe("completed")
    await signalbox.close()
    const { byName, parentOf, root } = treeOf(spans(), correlationId)
    expect(spans()).toHaveLength(treeOf(spans(), correlationId).spans.length)
    expect(root).toMatchObject({ name: "RUN deploy shop", kind: 1, status: { code: 1 }, links: [] })
    expect(root?.attributes).toMatchObject({ "signalbox.correlation_id": correlationId, "signalbox.runs": 1 })
    expect(idsOf(byName("Stage.deployment")).spanId).toBe(spanIdOf(correlationId, "/stage/deployment"))
    expect(parentOf("Provider.stage")).toBe("Step.stage")
    expect(parentOf("Step.stage")).toBe("Stack.deployment")
    expect(byName("Gate.watch")?.events.map(({ name }) => name)).toContain("gate.verdict")
    const [seconds] = root?.duration ?? []
    expect(seconds).toBeLessThan(60)
  })

  it("gets links both ways between the root and the active span", async () => {
    const { spans } = startHost()
    const { signalbox } = await host()
    const request = await prepared(signalbox)
    const active = await inSpan("release", async (span) => {
      await (
        await signalbox.deploy({ ...request, correlationId: "linked" })
      ).done
      return idsOf(span)
    })
    await signalbox.close()
    const { root } = treeOf(spans(), "linked")
    expect(linksOf(root)).toEqual([{ ...active, as: "caused_by" }])
    const own = spans().find(({ name }) => name === "release")
    expect(linksOf(own)).toEqual([{ ...idsOf(root), as: "causes" }])
    expect(idsOf(own).traceId).not.toBe(traceIdOf("linked"))
  })

  it("gets no link for a request that is rejected", async () => {
    const { spans } = startHost()
    const { signalbox } = await host()
    const request = await prepared(signalbox)
    await signalbox.locks.hold({ ...request, reason: "audit" })
    await inSpan("release", async () => {
      expect((await rejected(signalbox.deploy(request)))._tag).toBe("BlockedError")
    })
    await inSpan("attach", async () => {
      expect((await rejected(signalbox.executions.attach("unknown")))._tag).toBe("NotFoundError")
    })
    for (const name of ["release", "attach"]) {
      expect(linksOf(spans().find((span) => span.name === name))).toEqual([])
    }
  })

  it("gets links from each span that commands or carries on an execution, by any connection", async () => {
    const { spans } = startHost()
    const { open, signalbox } = await host()
    const request = await prepared(signalbox)
    await (
      await signalbox.deploy(request)
    ).done
    const next = { ...request, configuration: endless, version: "2.0.0", correlationId: "second" }
    const execution = await inSpan("release", () => signalbox.deploy(next))
    await seen(execution.events(), "VerdictReached")
    await signalbox.close()
    await rejected(execution.done)

    const other = await open()
    const attached = await inSpan("attach", () => other.executions.attach("second"))
    await inSpan("decide", () => other.executions.command("second", "promote"))
    expect((await attached.done).status).toBe("completed")
    await other.close()

    const { root, spans: tree } = treeOf(spans(), "second")
    const own = (name: string) => spans().find((span) => span.name === name)
    expect(linksOf(root)).toEqual([{ ...idsOf(own("release")), as: "caused_by" }])
    const runs = tree.filter(({ name }) => name === "Runner.run")
    expect(runs.flatMap(linksOf)).toEqual(
      ["release", "attach"].map((name) => ({ ...idsOf(own(name)), as: "caused_by" }))
    )
    for (const name of ["release", "attach", "decide"]) {
      expect(linksOf(own(name)), name).toEqual([{ ...idsOf(root), as: "causes" }])
    }
  })

  it("gets the program's own spans inside a provider call below that call", async () => {
    const { spans } = startHost()
    const { provider } = SimulatedProvider.make()
    const stage: typeof provider.stage = (...given) =>
      Effect.andThen(
        Effect.promise(() => inSpan("upload", async () => undefined)),
        provider.stage(...given)
      )
    const { signalbox } = await host({ providers: [{ ...provider, stage }] })
    const request = await prepared(signalbox)
    await inSpan("release", async () => (await signalbox.deploy({ ...request, correlationId: "nested" })).done)
    await signalbox.close()
    expect(treeOf(spans(), "nested").parentOf("upload")).toBe("Provider.stage")
  })

  it("gets what failed as an error, without secrets", async () => {
    const { spans } = startHost()
    const { cloud, signalbox } = await host()
    cloud.fail({ operation: "stage", times: Infinity, reason: { _tag: "Denied", message: "token=hunter2" } })
    const request = await prepared(signalbox)
    const { correlationId, done } = await signalbox.deploy(request)
    expect((await done).status).not.toBe("completed")
    await signalbox.close()
    const { byName, root } = treeOf(spans(), correlationId)
    for (const span of [root, byName("Provider.stage")]) {
      expect(span?.status.code).toBe(2)
      expect(span?.attributes["error.type"]).toBeDefined()
    }
    expect(JSON.stringify(spans().map(({ attributes, status }) => [attributes, status]))).not.toContain("hunter2")
  })
})
