import { onTestFinished, describe, expect, it } from "vitest"
import { configuration, connected, deployed, endless, environment, rejected, seen } from "./support.ts"

const other = { ...configuration(), stacks: [{ ...configuration().stacks[0], name: "site" }] } as const
const broken = { ...configuration(), parallelism: "two" } as never

/** Releases 1.0.0 and 2.0.0 of web. */
const twice = async () => {
  const world = await connected()
  const deploymentId = await deployed(world.signalbox)
  const request = { configuration: configuration(), deploymentId, environment }
  await (
    await world.signalbox.deploy({ ...request, version: "2.0.0" })
  ).done
  return { ...world, place: { deploymentId, environment } }
}

describe("recorded configuration", () => {
  it.each([
    ["without a configuration", undefined],
    ["with one that has other stacks", other],
    ["with one that is wrong", broken]
  ])("is gone back to, seen and destroyed %s", async (_, given) => {
    const { place, signalbox } = await twice()
    const warned: Array<string> = []
    const listen = ({ message, name }: Error) => name === "SignalboxWarning" && warned.push(message)
    process.on("warning", listen)
    onTestFinished(() => void process.off("warning", listen))
    const target = { ...place, configuration: given }
    expect((await signalbox.deployments.observe(target))[0]).toMatchObject({
      name: "web",
      observation: { stable: { version: "2.0.0" } }
    })
    await signalbox.locks.hold({ ...target, reason: "x" })
    await signalbox.locks.release({ ...target, reason: "x" })
    expect((await signalbox.canDeploy({ ...target, kind: "rollback" })).canDeploy).toBe(true)
    const back = await (await signalbox.rollback(target)).done
    expect(back.stacks.map(({ name, release }) => `${name} ${release?.version}`)).toEqual(["web 1.0.0"])
    const away = await (await signalbox.destroy(target)).done
    expect(away.stacks.map(({ name, status }) => `${name} ${status}`)).toEqual(["web destroyed"])
    // A warning is emitted in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve))
    expect(warned.length > 0).toBe(given === broken)
    if (given === broken) expect(warned[0]).toContain("what was recorded is used instead")
  })

  it("and is not in the configuration any more is named by a deployment, and can be removed", async () => {
    const { place, signalbox } = await twice()
    const next = await signalbox.deploy({ ...place, configuration: other, version: "3.0.0" })
    expect(next.droppedStacks).toEqual(["web"])
    await next.done
    const away = await (await signalbox.destroyStack({ ...place, stack: "web" })).done
    expect(away.stacks.map(({ name, status }) => `${name} ${status}`)).toEqual(["web destroyed"])
    const last = await signalbox.deploy({ ...place, configuration: other, version: "4.0.0" })
    expect(last.droppedStacks).toEqual([])
    await last.done
  })
})

describe("inside of the command that holds the lease", () => {
  it("whatever would wait for it is refused, and another environment is not", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox, endless)
    const request = { configuration: endless, deploymentId, environment }
    const running = await signalbox.deploy({ ...request, version: "2.0.0" })
    await seen(running.events(), "VerdictReached")
    await signalbox.queue.register({ ...request, correlationId: "waits" })
    // As for a process of the command of the run that is around the innermost one.
    const mark = (place: string, id: string) => `store/${deploymentId}/${place}/${id}/1`
    process.env["SIGNALBOX_RUN"] = mark("staging", "inner")
    process.env["SIGNALBOX_OUTER_RUNS"] = mark(environment, running.correlationId)
    onTestFinished(() => {
      delete process.env["SIGNALBOX_RUN"]
      delete process.env["SIGNALBOX_OUTER_RUNS"]
    })
    for (const asking of [
      () => signalbox.deploy({ ...request, version: "3.0.0", queue: "fifo" }),
      () => signalbox.rollback({ ...request, queue: "fifo" }),
      () => signalbox.destroy({ ...request, queue: "fifo" }),
      () => signalbox.queue.register(request),
      () => signalbox.queue.waitForAdmission("waits"),
      () => signalbox.executions.attach(running.correlationId),
      () => signalbox.runCommand({ ...request, command: "true" }),
      () => signalbox.locks.revoke({ ...request, reason: "x" })
    ]) {
      expect(await rejected(asking())).toMatchObject({ _tag: "BlockedError", code: "nested_run" })
    }
    const staging = await signalbox.deploy({ ...request, environment: "staging", version: "1.0.0" })
    expect((await staging.done).status).toBe("completed")
    await running.abort()
    await running.done
  })
})
