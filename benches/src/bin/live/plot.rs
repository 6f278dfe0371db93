//! Curves on logarithmic axes, as SVG.

use std::fmt::Write as _;

use crate::measure::number;

/// A curve: points of size and cost.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A diagram.
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) curves: Vec<Curve>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Left, right, top and bottom of the axes.
const BOX: [f64; 4] = [70.0, 500.0, 40.0, 350.0];
const COLOURS: [&str; 8] =
    ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999"];

/// The powers of ten around some values, as exponents.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let most = values.fold(0.0, f64::max).log10().ceil();
    (least, most.max(least + 1.0))
}

/// All diagrams, one below the other.
pub(crate) fn svg(plots: &[Plot]) -> String {
    let plots: Vec<&Plot> = plots.iter().filter(|plot| !plot.curves.is_empty()).collect();
    let height = HEIGHT * number(plots.len());
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n"
    );
    for (index, plot) in plots.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate(0 {})\">", HEIGHT * number(index));
        one(&mut out, plot);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn one(out: &mut String, plot: &Plot) {
    let [left, right, top, bottom] = BOX;
    let points = || plot.curves.iter().flat_map(|curve| curve.points.iter());
    let (x0, x1) = decades(points().map(|point| point.0));
    let (y0, y1) = decades(points().map(|point| point.1));
    let x = |exponent: f64| left + (exponent - x0) / (x1 - x0) * (right - left);
    let y = |exponent: f64| bottom - (exponent - y0) / (y1 - y0) * (bottom - top);
    let text = |out: &mut String, x: f64, y: f64, anchor: &str, text: &str| {
        let _ =
            writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    };
    let line = |out: &mut String, from: (f64, f64), to: (f64, f64)| {
        let _ = writeln!(
            out,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>",
            from.0, from.1, to.0, to.1
        );
    };
    text(out, left, top - 15.0, "start", &plot.title);
    // Whole numbers, a few of each.
    let steps = |from: f64, to: f64| {
        std::iter::successors(Some(from), |step| Some(step + 1.0))
            .take_while(move |step| *step <= to)
    };
    for step in steps(x0, x1) {
        line(out, (x(step), top), (x(step), bottom));
        text(out, x(step), bottom + 18.0, "middle", &format!("{}", 10_f64.powf(step)));
    }
    for step in steps(y0, y1) {
        line(out, (left, y(step)), (right, y(step)));
        text(out, left - 6.0, y(step) + 4.0, "end", &format!("{}", 10_f64.powf(step)));
    }
    text(out, f64::midpoint(left, right), bottom + 36.0, "middle", "entries");
    text(out, left - 6.0, top - 4.0, "end", "µs an entry");
    for (index, curve) in plot.curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let place = |(size, cost): &(f64, f64)| (x(size.log10()), y(cost.log10()));
        let path: Vec<String> =
            curve.points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        let height = top + 18.0 * number(index) + 8.0;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{colour}\"/>",
            right + 12.0,
            height - 6.0
        );
        text(out, right + 30.0, height, "start", &curve.name);
    }
}
