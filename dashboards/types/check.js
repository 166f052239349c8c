// Checks each dashboard against the types of @grafana/schema: the whole, the options and fields of each kind of panel,
// and each query. Writes TypeScript with the JSON in it, because the type of an imported JSON file is too wide, and runs
// tsc over it. Prints what is wrong and ends with 1.
//   npm ci && npm run check
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const grafana = resolve(process.argv[2] ?? join(here, "../grafana"));
const work = join(here, "node_modules/.understudy");
const raw = "../@grafana/schema/dist/types/raw";
const kinds = {
    bargauge: "BarGauge",
    stat: "Stat",
    "state-timeline": "StateTimeline",
    table: "Table",
    timeseries: "TimeSeries",
};

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
for (const file of readdirSync(grafana)) {
    const dashboard = JSON.parse(readFileSync(join(grafana, file), "utf8"));
    const lines = [
        `import type { Dashboard, DataSourceRef, Panel } from "${raw}/dashboard/x/types.gen";`,
    ];
    for (const [kind, name] of Object.entries(kinds)) {
        const folder = kind.replace("-", "");
        lines.push(
            `import type * as ${name} from "${raw}/composable/${folder}/panelcfg/x/types.gen";`,
        );
    }
    // an enum's member is asked for by its text, as it stands in JSON
    lines.push(
        "type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T",
        "  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;",
        // the plugin's own type is not part of the package
        "type Query = { datasource: DataSourceRef; refId: string; expr: string; legendFormat: string; range: boolean;",
        '  instant: boolean; format?: "time_series" | "table" | "heatmap" };',
        "type Some<T> = { [K in keyof T]?: T[K] extends object | undefined ? Some<T[K]> : T[K] };",
    );
    const { panels, ...whole } = dashboard;
    for (const annotation of whole.annotations.list) {
        // Prometheus' own part, for which the package has no type
        for (const key of ["expr", "step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"]) {
            delete annotation[key];
        }
    }
    lines.push(`export const whole: Plain<Dashboard> = ${JSON.stringify(whole, null, 1)};`);
    for (const panel of panels) {
        if (panel.type === "row") continue;
        const name = kinds[panel.type];
        if (!name) {
            console.error(`${file}: ${panel.title}: no types for ${panel.type}`);
            process.exitCode = 1;
            continue;
        }
        const { options, targets, fieldConfig, ...rest } = panel;
        const { custom, ...defaults } = fieldConfig.defaults;
        const id = `${panel.id}`;
        lines.push(
            `// ${panel.title}`,
            `export const panel${id}: Plain<Panel> = ${JSON.stringify({ ...rest, fieldConfig: { ...fieldConfig, defaults } })};`,
            `export const options${id}: Some<Plain<${name}.Options>> = ${JSON.stringify(options)};`,
            `export const targets${id}: Query[] = ${JSON.stringify(targets)};`,
        );
        if (custom) {
            const type = { timeseries: "TimeSeries.FieldConfig", "state-timeline": "StateTimeline.FieldConfig", table: "Table.FieldConfig" }[panel.type];
            lines.push(`export const custom${id}: Some<Plain<${type}>> = ${JSON.stringify(custom)};`);
        }
    }
    writeFileSync(join(work, file.replace(/\.json$/, ".ts")), lines.join("\n") + "\n");
}
writeFileSync(
    join(work, "tsconfig.json"),
    JSON.stringify({
        compilerOptions: {
            strict: true,
            noEmit: true,
            skipLibCheck: true,
            module: "esnext",
            moduleResolution: "bundler",
            target: "es2022",
            types: [],
        },
        include: ["*.ts"],
    }),
);
try {
    execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "-p", work], { encoding: "utf8" });
} catch (e) {
    console.error(e.stdout);
    process.exitCode = 1;
}
