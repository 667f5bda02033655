/**
 * What others do to a service in the middle of a deployment: seen at the next step, named, and left alone.
 */
import { assert, describe, it, onTestFinished } from "vitest"
import { reasonOf, stepsOn } from "./driver.ts"
import { actionsOf, type Platform, platform, sharesOf } from "./platform.ts"

const live = async (): Promise<Platform> => {
  const it = await platform()
  onTestFinished(it.simulator.close)
  return it
}

const forwardTo = (weights: Readonly<Record<string, number>>) => ({
  Type: "forward",
  ForwardConfig: {
    TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight }))
  }
})

/** Replaces the actions of the listener as someone else. */
const edit = ({ service, simulator }: Platform, ...DefaultActions: ReadonlyArray<object>) =>
  simulator.edit("ModifyListener", { ListenerArn: service.listener, DefaultActions })

/** Does a step that fails, and returns why; it has to change nothing. */
const refused = async ({ simulator }: Platform, step: () => Promise<unknown>) => {
  const before = simulator.ledger.writes.length
  const reason = await reasonOf(step())
  assert.strictEqual(simulator.ledger.writes.length, before, "it changes nothing")
  return reason
}

describe("a change of others in the middle of a deployment", { concurrent: true }, () => {
  it("to the weights is named by the next shift and by the rollback, and stays", async () => {
    const here = await live()
    const { blue, green } = here.service
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    await steps.shift(plan, 25)
    await edit(here, forwardTo({ [blue.targetGroup]: 1, [green.targetGroup]: 1 }))
    for (const step of [() => steps.shift(plan, 50), () => steps.rollback(plan)]) {
      const reason = await refused(here, step)
      assert.deepInclude(reason, { _tag: "Changed", field: "weights", was: "blue 75, green 25", is: "blue 1, green 1" })
    }
    assert.deepStrictEqual(await sharesOf(here, 100), { v1: 50, v2: 50 })
    // A new deployment starts from what it finds.
    const next = await steps.plan("v3")
    assert.include(next.warnings.join(), "divided")
  })

  it("that resets the listener, as an update of CloudFormation does (aws-cdk #36649), is named and stays", async () => {
    const here = await live()
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    await steps.shift(plan, 50)
    const reset = { Type: "forward", TargetGroupArn: here.service.blue.targetGroup }
    await edit(here, reset)
    const reason = await refused(here, () => steps.shift(plan, 75))
    assert.deepInclude(reason, { _tag: "Changed", field: "weights", is: "blue 1, green 0" })
    // Whatever it says, the candidate has no traffic, so that going back only takes its instances away.
    await steps.rollback(plan)
    assert.deepStrictEqual(await sharesOf(here, 10), { v1: 100 })
  })

  it("that adds a target group is named and stays", async () => {
    const here = await live()
    const { blue, green } = here.service
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    const other = (await here.simulator.edit("CreateTargetGroup", {
      Name: "other",
      Protocol: "HTTP",
      Port: 80,
      VpcId: "vpc-0a1b2c3d"
    })) as { readonly TargetGroups: ReadonlyArray<{ readonly TargetGroupArn: string }> }
    const arn = other.TargetGroups[0]!.TargetGroupArn
    await edit(here, forwardTo({ [blue.targetGroup]: 100, [green.targetGroup]: 0, [arn]: 0 }))
    const reason = await refused(here, () => steps.shift(plan, 25))
    assert.deepInclude(reason, { _tag: "Changed", field: "target groups", is: `also ${arn}` })
  })

  it("that refreshes the instances is named by stage and shift", async () => {
    const here = await live()
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await here.simulator.edit("StartInstanceRefresh", {
      AutoScalingGroupName: here.service.blue.group,
      Preferences: { SkipMatching: true, BakeTime: 3600 }
    })
    const reason = await refused(here, () => steps.stage(plan))
    assert.strictEqual(reason._tag, "Busy")
    assert.include(reason.message, here.service.blue.group)
  })

  it("that adds an action survives every step, with its secret", async () => {
    const here = await live()
    const { blue } = here.service
    const signIn = {
      Type: "authenticate-oidc",
      Order: 1,
      AuthenticateOidcConfig: {
        Issuer: "https://login.example.com",
        AuthorizationEndpoint: "https://login.example.com/authorize",
        TokenEndpoint: "https://login.example.com/token",
        UserInfoEndpoint: "https://login.example.com/me",
        ClientId: "shop",
        ClientSecret: "secret"
      }
    }
    await here.simulator.edit("ModifyListener", { ListenerArn: here.service.listener, Protocol: "HTTPS", Port: 443 })
    await edit(here, signIn, { Type: "forward", Order: 2, TargetGroupArn: blue.targetGroup })
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    await steps.shift(plan, 25)
    await steps.rollback(plan)
    const [first, second] = await actionsOf(here)
    assert.strictEqual(first!["Type"], "authenticate-oidc")
    assert.strictEqual(second!["Type"], "forward")
    assert.strictEqual((first!["AuthenticateOidcConfig"] as { readonly ClientId: string }).ClientId, "shop")
  })

  it("that empties the group of the candidate (containers-roadmap #2853) is refused before the shift", async () => {
    const here = await live()
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    const { faults, instances } = here.simulator
    for (const { id } of instances(here.service.green.group)) await faults.terminate(id)
    const reason = await refused(here, () => steps.shift(plan, 25))
    assert.strictEqual(reason._tag, "Conflict")
    assert.include(reason.message, "green has no healthy instance")
    assert.deepStrictEqual(await sharesOf(here, 10), { v1: 100 })
  })
})
