/** The chart of one metric over runs: asks for its points when it comes into view, again closer when it is zoomed, and when they change. */
import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { Icon } from "../parts/icon";
import { Menu, type MenuItem } from "../parts/menu";
import { Fault } from "../parts/states";
import type { ChartedRun } from "./answer";
import { bandsOf, type BandKind } from "./bands";
import { Bars } from "./bars";
import { curvesOf, inRanges, stepsWithin, type Across, type Curve, type Extent } from "./curves";
import type { PlotProps } from "./plot";
import { Asker, shows, type Answer, type Question } from "./points";
import { Twin } from "./twin";
import { asTold } from "./view";

/** What is the same for all charts of a page. */
export interface Manner {
  readonly across: Across;
  readonly isLogAcross: boolean;
  readonly isLogUp: boolean;
  readonly smoothing: number;
  readonly band: BandKind | "lines";
  readonly isGrouped: boolean;
  readonly height: number;
  readonly colorOf: (id: string) => number;
}

interface Props {
  readonly metric: string;
  readonly runs: readonly ChartedRun[];
  readonly manner: Manner;
  /** Another number whenever the points may have changed. */
  readonly turn: number;
  readonly zoom: Extent | null;
  readonly onZoom: (extent: Extent | null) => void;
  readonly isTable: boolean;
  /** How many runs have one point each, where none has more; otherwise 0. */
  readonly singles: number;
  /** What else can be done with it: to move it, to hide it. */
  readonly acts: readonly MenuItem[];
  readonly onTable: () => void;
}

const GRAIN = 64;
const UNDRAWN = 400;
/** Wider charts have a bucket for two columns of pixels, and three points for each bucket: its lowest, its highest and its last. */
const WIDE = 512;
const BAR = 31;
const NEAR_PX = 200;

export function LineChart({ metric, runs, manner, turn, zoom, onZoom, isTable, singles, acts, onTable }: Props) {
  const card = useRef<HTMLElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isNear = useNear(card);
  const isSingle = singles > 0 && !manner.across.startsWith("metric:");
  const View = usePlot(!isSingle && !isTable);
  const [overview, setOverview] = useState<Answer | null>(null);
  const [close, setClose] = useState<Answer | null>(null);
  const [fault, setFault] = useState<Error | null>(null);
  const [menu, setMenu] = useState<HTMLElement | null>(null);
  const { across, smoothing } = manner;
  const ids = runs.map((run) => run.run_id);
  const idsText = ids.join();
  const other = across.startsWith("metric:") ? across.slice("metric:".length) : "";
  const starts = useMemo(() => new Map(runs.map((run) => [run.run_id, run.start_time])), [idsText]);
  const names = useMemo(() => new Map(runs.map((run) => [run.run_id, run.name])), [runs]);
  const groups = useMemo(() => new Map(runs.map((run) => [run.run_id, run.group])), [runs]);
  const width = card.current?.clientWidth || UNDRAWN;
  const buckets = Math.ceil((width > WIDE ? width / 2 : width) / GRAIN) * GRAIN;

  const question = (steps: Extent | null): Question => ({ runIds: ids, metric, other, buckets, steps });
  const asker = useMemo(() => new Asker(setOverview, setFault), []);
  const closeAsker = useMemo(() => new Asker(setClose, setFault), []);
  useEffect(() => () => (asker.drop(), closeAsker.drop()), []);

  useLayoutEffect(() => {
    if (isNear) asker.ask(question(null), turn);
    else asker.drop();
  }, [isNear, idsText, metric, other, buckets, turn]);

  const made = useMemo(() => curved(overview, across, starts, smoothing), [overview, across, starts, smoothing]);
  const closely = (to: Extent): Question | null => {
    if (!overview?.series.some((one) => one.isSampled)) return null;
    const steps = across === "step" ? wider(to) : stepsWithin(made, to);
    return steps && question(inRanges(steps, buckets));
  };
  const wanted = useMemo(() => zoom && closely(zoom), [zoom?.low, zoom?.high, overview, across]);
  useLayoutEffect(() => {
    if (wanted) return closeAsker.ask(wanted, overview);
    closeAsker.drop();
    setClose(null);
  }, [wanted]);
  const zoomTo = (extent: Extent | null) => {
    const to = extent && asTold(extent);
    const next = to && closely(to);
    if (next) closeAsker.ask(next, overview); // at once: the page is drawn anew while the server works
    onZoom(to);
  };

  const closer = wanted && close && shows(close, wanted) ? close : null;
  const closerMade = useMemo(() => (closer ? curved(closer, across, starts, smoothing) : null), [closer, across, starts, smoothing]);
  const curves = closerMade ?? made;
  const bands = useMemo(
    () => (manner.isGrouped && manner.band !== "lines" ? bandsOf(curves, (id) => groups.get(id) ?? "", manner.band, manner.isLogAcross) : []),
    [curves, manner.isGrouped, manner.band, manner.isLogAcross, groups],
  );
  const height = isSingle && !isTable ? Math.min(manner.height, singles * BAR + 1) : manner.height;
  const nameOf = (runId: string) => names.get(runId) ?? runId;
  const save = async (what: "picture" | "table") => {
    try {
      const saving = await import("./saving");
      if (what === "table") await saving.saveTable(ids, metric, nameOf, zoom && across === "step" ? zoom : null);
      else if (plot.current) await saving.savePicture(plot.current, metric, curves.map(({ runId }) => ({ name: nameOf(runId), color: `--series-${manner.colorOf(runId)}` })));
    } catch (problem) {
      setFault(problem instanceof Error ? problem : new Error(String(problem)));
    }
  };
  const items: MenuItem[] = [
    ...(isTable || isSingle ? [] : [{ label: "Save as PNG", act: () => void save("picture") }]),
    { label: "Save all points as CSV", act: () => void save("table") },
    ...acts,
  ];
  return (
    <section ref={card} class="chart card" aria-label={metric}>
      <header class="chart-head">
        <h3 class="one-line" title={metric}>
          <bdi>{metric}</bdi>
        </h3>
        {zoom && (
          <button type="button" class="button plain chart-reset" onClick={() => zoomTo(null)}>
            Show all
          </button>
        )}
        <button type="button" class={`button plain square ${isTable ? "is-on" : ""}`} aria-pressed={isTable} aria-label={`${metric} as a table`} title="As a table" onClick={onTable}>
          <Icon name="table" />
        </button>
        <button type="button" class="button plain square" aria-haspopup="menu" aria-label={`More for ${metric}`} title="More" onClick={(event) => setMenu(event.currentTarget)}>
          <Icon name="more" />
        </button>
        {menu && <Menu label={`More for ${metric}`} anchor={menu} items={items} onClose={() => setMenu(null)} />}
      </header>
      <div class="chart-body" style={{ minHeight: `${height}px` }}>
        {fault ? (
          <Fault fault={fault} again={() => (setFault(null), setOverview(null), asker.drop(), asker.ask(question(null), turn))} />
        ) : !overview || !(View || isTable || isSingle) ? (
          <div class="waiting chart-waiting" style={{ height: `${height}px` }} />
        ) : isTable ? (
          <Twin curves={curves} across={across} within={zoom} nameOf={nameOf} colorOf={manner.colorOf} height={height} />
        ) : isSingle ? (
          <Bars curves={curves} nameOf={nameOf} colorOf={manner.colorOf} height={height} />
        ) : View && (
          <View
            name={metric}
            curves={bands.length > 0 ? NONE : curves}
            members={curves}
            bands={bands}
            groupOf={(id) => groups.get(id) ?? ""}
            across={across}
            isLogAcross={manner.isLogAcross}
            isLogUp={manner.isLogUp}
            zoom={zoom}
            onZoom={zoomTo}
            height={manner.height}
            colorOf={manner.colorOf}
            nameOf={nameOf}
            onPlot={(made) => (plot.current = made)}
          />
        )}
      </div>
    </section>
  );
}

const NONE: readonly Curve[] = [];

function curved(answer: Answer | null, across: Across, starts: ReadonlyMap<string, number | null>, factor: number): readonly Curve[] {
  return answer ? curvesOf(answer.series, across, starts, answer.others, { factor, buckets: answer.question.buckets }) : NONE;
}

/** A little more than what is seen, so that lines go on to the frame. */
function wider({ low, high }: Extent): Extent {
  const room = Math.max((high - low) * 0.02, 1);
  return { low: low - room, high: high + room };
}

/** True once an element is on screen or close to it, and while it is. */
function useNear(element: { readonly current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false);
  useLayoutEffect(() => {
    const { top, bottom } = element.current!.getBoundingClientRect();
    setNear(bottom > top && bottom > -NEAR_PX && top < innerHeight + NEAR_PX); // now: the observer tells it a frame later
    const watch = new IntersectionObserver((entries) => setNear(entries.at(-1)?.isIntersecting ?? false), { rootMargin: `${NEAR_PX}px` });
    watch.observe(element.current!);
    return () => watch.disconnect();
  }, []);
  return isNear;
}

let loaded: ComponentType<PlotProps> | null = null;

/** The plot, loaded with the first chart that needs it. */
function usePlot(isNeeded: boolean): ComponentType<PlotProps> | null {
  const [, setTurn] = useState(0);
  useLayoutEffect(() => {
    if (!isNeeded || loaded) return;
    void import("./plot").then((module) => {
      loaded = module.Plot;
      setTurn((turn) => turn + 1);
    });
  }, [isNeeded]);
  return loaded;
}
