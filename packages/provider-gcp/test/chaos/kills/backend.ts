/**
 * A job and a service of Cloud Run. A service has labels and a tag of others.
 */
import assert from "node:assert/strict"
import type { ExecutionJson } from "../../../src/testing/index.ts"
import { image, platform, service, sharesOf } from "../../cloudrun/platform.ts"
import { job } from "../../jobs/platform.ts"
import type { Subject } from "./kills.ts"

const stacks = `
  - name: migrate
    provider: "gcp:cloud-run-job"
    strategy: { type: all_at_once }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { job: migrate, image: "example.com/shop/migrate:\${version}" }
  - name: api
    provider: "gcp:cloud-run"
    dependsOn: [migrate]
    strategy: { type: canary, steps: [{ weight: 25, bake: 0 millis }] }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { service: api, image: "example.com/shop/api:\${version}" }
`

const stepOf = ({ annotations = {} }: ExecutionJson): string =>
  (JSON.parse(annotations["signalbox.dev/release"] ?? "{}") as { readonly step?: string }).step ?? "none"

export const backend = async (): Promise<Subject> => {
  const simulator = await platform({ operationMillis: 50 })
  let first = ""
  return {
    stacks,
    simulator,
    publish: (_, version) => {
      simulator.push(image(version), { body: version })
      simulator.push(`example.com/shop/migrate:${version}`, { startMillis: 50 })
    },
    shown: async () => Object.keys(await sharesOf(simulator, 4)).join(),
    share: async () => {
      first = simulator.service(service)!.latestReadyRevision!.replace(/.*\//, "")
      const green = { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: first, tag: "green" }
      const traffic = [...simulator.service(service)!.traffic, green]
      await simulator.edit(service, { labels: { team: "shop" }, traffic })
      while (simulator.service(service)!.reconciling) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    judge: (deployments) => {
      const images = [...simulator.images(service).values()]
      assert.equal(new Set(images).size, images.length, "no second revision of a template")
      const executions = simulator.executions(job)
      assert.equal(new Set(executions.map(stepOf)).size, executions.length, "no second execution of a step")
      assert.equal(executions.length, deployments, "one execution of each version")
      const { labels, traffic } = simulator.service(service)!
      assert.deepEqual(labels, { team: "shop" }, "labels of others stay")
      const tags = traffic.flatMap(({ revision, tag }) => (tag === undefined ? [] : [`${tag} on ${revision}`]))
      assert.deepEqual(tags, [`green on ${first}`], "tags of others stay")
    }
  }
}
