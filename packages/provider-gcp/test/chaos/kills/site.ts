/**
 * A site of Firebase Hosting. Others have a preview channel, an upload that has not ended, and a site of their own there.
 */
import assert from "node:assert/strict"
import type { RecordedCall } from "../../../src/testing/index.ts"
import { startGcpSimulator } from "../../../src/testing/index.ts"
import { recordOfMessage } from "../../../src/hosting/Names.ts"
import { project, shownAt, site, write } from "../../hosting/platform.ts"
import type { Subject } from "./kills.ts"

const stacks = `
  - name: web
    provider: "gcp:firebase-hosting"
    strategy: { type: blue_green, bake: 0 millis }
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { site: ${site}, public: "\${version}" }
`

/** So many files does a version have, so that many of the kills hit an upload. */
const files = 12

const twice = (all: ReadonlyArray<string>): ReadonlyArray<string> =>
  all.filter((one, index) => all.indexOf(one) !== index)

/** Which step released what, and where: a step that released something twice is there twice. */
const releaseOf = ({ request }: RecordedCall): string => {
  const { message } = (request["body"] ?? {}) as { readonly message?: string }
  const step = recordOfMessage(message)?.step ?? "none"
  return [request["channel"], request["versionName"], step].join(" ")
}

export const firebaseSite = async (): Promise<Subject> => {
  const simulator = await startGcpSimulator()
  const { hosting } = simulator
  await hosting.site(project, site)
  await hosting.site(project, "docs")
  let foreign: unknown
  /** What others have, as it is now. */
  const others = (versions: ReadonlyArray<string>) => ({
    docs: [hosting.releases("docs"), hosting.versions("docs"), hosting.channels("docs")],
    review: [hosting.channels(site).filter(({ name }) => name.endsWith("/review")), hosting.releases(site, "review")],
    versions: hosting.versions(site).filter(({ name }) => versions.includes(name))
  })
  const theirs = () =>
    hosting.versions(site).flatMap(({ labels = {}, name }) => ("signalbox-step" in labels ? [] : [name]))
  return {
    stacks,
    simulator,
    publish: (directory, version) => {
      const more = Array.from({ length: files - 1 }, (_, n) => [`${version}/${n}.txt`, `${n} of ${version}`])
      write(directory, {
        "firebase.json": JSON.stringify({ hosting: { public: "dist" } }),
        [`${version}/index.html`]: version,
        ...Object.fromEntries(more)
      })
    },
    shown: async () => (await shownAt(hosting.live(site))) ?? "nothing",
    share: async () => {
      await hosting.deploy("docs", { "/index.html": "docs" })
      await hosting.channel(site, "review")
      await hosting.release(site, hosting.versions(site)[0]!.name, "review")
      await fetch(`${hosting.url}/v1beta1/projects/${project}/sites/${site}/versions`, { method: "POST", body: "{}" })
      foreign = structuredClone(others(theirs()))
    },
    judge: (deployments) => {
      const made = simulator.changes.filter(({ failed, method }) => failed === undefined && method === "CreateRelease")
      assert.deepEqual(twice(made.map(releaseOf)), [], "no step releases a version twice")
      const live = hosting.releases(site).map(({ version }) => version?.name)
      assert.ok(
        live.every((name, index) => name !== live[index + 1]),
        "no version is released twice in a row"
      )
      const own = hosting.versions(site).filter(({ labels = {} }) => "signalbox-step" in labels)
      const finalized = own.filter(({ status }) => status === "FINALIZED")
      assert.deepEqual(twice(finalized.map(({ labels }) => labels!["signalbox-release"]!)), [], "one version a release")
      assert.equal(finalized.length, deployments, "one version of each deployment")
      assert.deepEqual(
        own.filter(({ status }) => status === "CREATED"),
        [],
        "no version is left unfinished"
      )
      for (const { version } of hosting.releases(site)) assert.equal(version?.status, "FINALIZED")
      assert.deepEqual(
        hosting.channels(site).filter(({ name }) => !/\/(live|review)$/.test(name)),
        [],
        "no preview channel is left"
      )
      assert.deepEqual(others(theirs()), foreign, "all of others is as it was")
    }
  }
}
