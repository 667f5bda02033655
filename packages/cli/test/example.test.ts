/**
 * `init --example`, and the commands that it prints next: through the real program, with real processes.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { listing, temporary } from "./support.ts"

let binary: Binary
let folder: string
beforeAll(() => {
  binary = build()
  folder = temporary("example")
})
afterAll(async () => {
  await binary.run(folder, ["destroy", "--yes"])
  Fs.rmSync(folder, { recursive: true, force: true })
})

const emptyFolder = async (body: (path: string) => Promise<void>) => {
  const path = temporary("taken")
  await body(path)
  Fs.rmSync(path, { recursive: true, force: true })
}

describe("init --example", () => {
  it("init alone reports the missing configuration, and how to get one", async () => {
    const ran = await binary.run(folder, ["init"])
    assert.deepEqual([ran.code, ran.stdout], [64, ""])
    assert.include(ran.stderr, "signalbox init --example")
    assert.deepEqual(Fs.readdirSync(folder), [])
  })

  it("writes an application that the next commands, as printed, deploy, show and remove", async () => {
    const made = await binary.run(folder, ["init", "--example"])
    assert.deepEqual([made.code, made.stderr], [0, ""])
    const next = [...made.stdout.matchAll(/signalbox (.*)$/gm)].map(([, line = ""]) => line.trim().split(" "))
    assert.deepEqual(
      next.map(([name]) => name),
      ["deploy", "status", "destroy"]
    )
    const [deploy = [], status = [], destroy = []] = next
    const deployed = await binary.run(folder, deploy)
    assert.strictEqual(deployed.code, 0, deployed.stderr)
    assert.notInclude(deployed.stderr, "Warning")
    const shown = await binary.run(folder, status)
    const [address = ""] = /http:\S+/.exec(shown.stdout) ?? []
    assert.strictEqual(await (await fetch(address)).text(), "hello from v1\n")
    const destroyed = await binary.run(folder, destroy)
    assert.strictEqual(destroyed.code, 0, destroyed.stderr)
  })

  it("a second init names the deployment that the folder has, and changes nothing", async () => {
    const [, id = ""] =
      /^deployment_id: (\w+)/m.exec(Fs.readFileSync(Path.join(folder, ".deployment-metadata.yaml"), "utf8")) ?? []
    const config = Fs.readFileSync(Path.join(folder, "signalbox.config.ts"), "utf8")
    for (const args of [["init"], ["init", "--example"]]) {
      const ran = await binary.run(folder, args)
      assert.deepEqual([ran.code, ran.stdout], [1, ""])
      assert.include(ran.stderr, `belongs to the deployment ${id} already`)
    }
    assert.strictEqual(Fs.readFileSync(Path.join(folder, "signalbox.config.ts"), "utf8"), config)
    const { stdout } = await binary.run(folder, ["list", "--json"])
    assert.lengthOf(JSON.parse(stdout).deployments, 1)
  })

  it.each(["signalbox.config.ts", "signalbox.config.yaml", "app/other.txt"])("never overwrites: %s", (name) =>
    emptyFolder(async (path) => {
      Fs.mkdirSync(Path.dirname(Path.join(path, name)), { recursive: true })
      Fs.writeFileSync(Path.join(path, name), "mine")
      const before = listing(path)
      const ran = await binary.run(path, ["init", "--example", "--json"])
      assert.deepEqual([ran.code, ran.stdout, JSON.parse(ran.stderr).error.code], [1, "", "example_exists"])
      assert.deepEqual(listing(path), before)
    })
  )

  it("uses the folder of --directory, and names it in the next commands", () =>
    emptyFolder(async (path) => {
      const ran = await binary.run(path, ["init", "--example", "--directory", "shop"])
      assert.strictEqual(ran.code, 0, ran.stderr)
      assert.deepEqual(Fs.readdirSync(path), ["shop"])
      const [, status = ""] = /signalbox (status .*)$/m.exec(ran.stdout) ?? []
      assert.strictEqual((await binary.run(path, status.split(" "))).code, 0)
    }))
})

const readme = (folder: string): string => Fs.readFileSync(Path.join(folder, "README.md"), "utf8")

describe("init --template adapter", () => {
  it("writes a package that compiles and passes the conformance suite", async () => {
    const path = temporary("adapter-template")
    const made = await binary.run(path, ["init", "--template", "adapter", "--json"])
    assert.strictEqual(made.code, 0, made.stderr)
    const { files } = JSON.parse(made.stdout) as { readonly files: ReadonlyArray<string> }
    assert.include(files, Path.join(path, "Site.ts"))
    assert.isFalse(Fs.existsSync(Path.join(path, ".signalbox")))
    const manifest = JSON.parse(Fs.readFileSync(Path.join(path, "package.json"), "utf8")) as {
      readonly name: string
      readonly devDependencies: Readonly<Record<string, string>>
    }
    assert.match(manifest.name, /^signalbox-[a-z0-9-]+$/)

    // What npm would install.
    const example = fileURLToPath(new URL("../../../examples/sdk-provider-plain/node_modules/", import.meta.url))
    const root = fileURLToPath(new URL("../../../node_modules/", import.meta.url))
    for (const name of Object.keys(manifest.devDependencies)) {
      const link = Path.join(path, "node_modules", name)
      Fs.mkdirSync(Path.dirname(link), { recursive: true })
      Fs.symlinkSync(Path.join(Fs.existsSync(Path.join(example, name)) ? example : root, name), link)
    }
    const run = (program: string, ...args: ReadonlyArray<string>) =>
      execFileSync(Path.join(root, ".bin", program), args, { cwd: path, env: cleanEnvironment(), encoding: "utf8" })
    run("tsc", "-p", ".")
    assert.match(run("vitest", "run"), /Tests.*passed/)

    // What a project installs is the tarball, without the sources.
    const bin = Path.join(root, ".bin")
    execFileSync("npm", ["pack", "--silent"], {
      cwd: path,
      env: { ...cleanEnvironment(), PATH: `${bin}${Path.delimiter}${process.env.PATH}` },
      encoding: "utf8"
    })
    const project = temporary("adapter-project")
    const installed = Path.join(project, "node_modules", manifest.name)
    Fs.mkdirSync(installed, { recursive: true })
    const tarball = Path.join(path, `${manifest.name}-0.1.0.tgz`)
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed])
    assert.sameMembers(Fs.readdirSync(Path.join(installed, "dist")), ["index.js", "index.d.ts", "Site.js", "Site.d.ts"])
    // As its README says.
    const [yaml = ""] = /(?<=\n\n)    organization:[^]*?(?=\n\n)/.exec(readme(path)) ?? []
    Fs.writeFileSync(Path.join(project, "signalbox.config.yaml"), yaml.replaceAll(/^ {4}/gm, ""))
    Fs.mkdirSync(Path.join(project, "site"))
    Fs.writeFileSync(Path.join(project, "site", "index.html"), "v1")
    for (const args of [["init"], ["deploy", "--dry-run", "--version", "v1", "--artifact", "./site"]]) {
      const ran = await binary.run(project, args)
      assert.strictEqual(ran.code, 0, ran.stderr)
    }
  })

  it("overwrites nothing, and takes a folder of its own beside what is there", async () => {
    const path = temporary("adapter-taken")
    Fs.writeFileSync(Path.join(path, "package.json"), "{}")
    Fs.writeFileSync(Path.join(path, "signalbox.config.yaml"), "organization: acme")
    const ran = await binary.run(path, ["init", "--template", "adapter"])
    assert.strictEqual(ran.code, 1)
    assert.include(ran.stderr, "signalbox init --template adapter my-adapter")
    assert.deepEqual(Fs.readdirSync(path), ["package.json", "signalbox.config.yaml"])
    const made = await binary.run(path, ["init", "--template", "adapter", "my-adapter"])
    assert.strictEqual(made.code, 0, made.stderr)
    assert.include(made.stdout, "cd my-adapter && npm install && npm test")
    assert.include(readme(Path.join(path, "my-adapter")), "# signalbox-my-adapter\n")
  })

  it("gives no other template a folder", async () => {
    const path = temporary("folder-alone")
    const ran = await binary.run(path, ["init", "shop"])
    assert.strictEqual(ran.code, 64)
    assert.include(ran.stderr, "--directory")
    assert.deepEqual(Fs.readdirSync(path), [])
  })
})
