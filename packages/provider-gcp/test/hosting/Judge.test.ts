/**
 * The official tools as judges: the settings of generated sites reach the platform as firebase-tools sends them, and what
 * is served then answers as its emulator does. With `SIGNALBOX_SITES=200` there are so many, 20 for each run.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterAll, assert, beforeAll, describe, expect, it } from "vitest"
import { make } from "../../src/hosting/HostingProvider.ts"
import { type GcpSimulator, startGcpSimulator } from "../../src/testing/index.ts"
import { emulated, firebase, program } from "./firebaseTools.ts"
import { project, ref, write } from "./platform.ts"
import { generated, paths } from "./sites.ts"

const eachRun = 20
const runs = Math.ceil(Number(process.env["SIGNALBOX_SITES"] ?? eachRun) / eachRun)

let simulator: GcpSimulator
let directory: string
beforeAll(async () => {
  simulator = await startGcpSimulator()
  directory = mkdtempSync(join(tmpdir(), "signalbox-judge-"))
})
afterAll(async () => {
  await simulator.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Deploys a site with the provider, without an engine. */
const deploy = async (site: string, folder: string): Promise<void> => {
  const provider = make({ directory: folder, hostingEndpoint: simulator.hosting.url })
  const stack = { ...ref, properties: { site } }
  const plan = await Effect.runPromise(provider.plan(stack, { version: "v1" }))
  await Effect.runPromise(provider.stage(stack, { plan, capacityPercent: 100 }, testMutation(`stage-${site}`)))
  const options = { releaseId: plan.candidate.id, percent: 100 }
  await Effect.runPromise(provider.traffic!.shift(stack, options, testMutation(`shift-${site}`)))
}

/** Of the connection, or of the file in the file system. */
const own = new Set(["connection", "date", "etag", "keep-alive", "last-modified", "transfer-encoding"])

interface Answer {
  readonly request: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const answersOf = async (address: string): Promise<ReadonlyArray<Answer>> => {
  const answers: Array<Answer> = []
  for (const language of ["", "de", "fr-ca,de;q=0.5"]) {
    for (const path of language === "" ? paths : ["/", "/about.html", "/blog/"]) {
      const headers = { "accept-encoding": "identity", ...(language && { "accept-language": language }) }
      const answer = await fetch(new URL(path, address), { redirect: "manual", headers })
      answers.push({
        request: `${path} ${language}`,
        status: answer.status,
        headers: Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name))),
        body: await answer.text()
      })
    }
  }
  return answers
}

describe.skipIf(program === undefined)("settings of sites", { timeout: 300_000 + runs * 120_000 }, () => {
  it("mean what they mean to firebase-tools, and are served as its emulator serves them", async () => {
    let compared = 0
    for (let run = 0; run < runs; run++) {
      const folder = join(directory, `run-${run}`)
      mkdirSync(folder)
      const sites = Array.from({ length: eachRun }, (_, index) => ({
        ...generated(1000 * run + index, `s${index}`),
        site: `s${index}`
      }))
      for (const { files } of sites) write(folder, files)
      const hosting = sites.map(({ entry, site }) => ({ ...entry, site }))
      // Their own sites: what the official tool has made of the same entries.
      const theirs = (site: string) => `r${run}-${site}-theirs`
      const ours = (site: string) => `r${run}-${site}-ours`
      for (const { site } of sites) {
        await simulator.hosting.site(project, theirs(site))
        await simulator.hosting.site(project, ours(site))
      }
      const entries = (name: (site: string) => string) =>
        JSON.stringify({ hosting: sites.map(({ entry, site }) => ({ ...entry, site: name(site) })) })
      write(folder, { "firebase.json": entries(theirs) })
      await firebase({ directory: folder, project, url: simulator.hosting.url }, "deploy", "--only", "hosting")
      write(folder, { "firebase.json": entries(ours) })
      for (const { site } of sites) await deploy(ours(site), folder)
      for (const { entry, site } of sites) {
        const [mine] = simulator.hosting.versions(ours(site))
        const [other] = simulator.hosting.versions(theirs(site))
        const about = JSON.stringify(entry)
        expect(mine!.config, about).toEqual(other!.config)
        assert.deepStrictEqual(simulator.hosting.files(mine!.name), simulator.hosting.files(other!.name), about)
      }
      // The emulator knows no `ignore`, and would serve what is not deployed.
      for (const { files, site } of sites) {
        const deployed = simulator.hosting.files(simulator.hosting.versions(ours(site))[0]!.name)
        for (const path of Object.keys(files)) {
          if (deployed[path.slice(`${site}/public`.length)] === undefined) rmSync(join(folder, path))
        }
      }
      await emulated(folder, hosting, async (addresses) => {
        for (const [index, { entry, site }] of sites.entries()) {
          const [mine, other] = await Promise.all([
            answersOf(simulator.hosting.live(ours(site))),
            answersOf(addresses[index]!)
          ])
          assert.deepStrictEqual(mine, other, JSON.stringify(entry))
          compared += mine.length
        }
      })
    }
    assert.isAbove(compared, runs * eachRun * paths.length)
    console.log(`${runs * eachRun} sites, ${compared} answers compared`)
  })
})
