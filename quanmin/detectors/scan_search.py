"""The compiled search for the most likely cylinder, over many data sets at once.

Only what can beat the best cylinder so far is looked at, and nothing is lost by that: the number of cases in the fullest window of a length bounds those of
every shorter one, and the ratio falls with what was expected. So lengths are tried from the longest down, and each fullest window found skips all lengths at
which even that many cases would not do. Logarithms are taken once per zone and length, not per window. Where only windows that end on the last day count,
the cases each length needs to beat the lowest best of all data sets are worked out once per zone, and most data sets end there.

Where what is expected changes from period to period (permutation), that bound is wide; there too the cases that each window of a zone needs are worked out
once for all data sets and compared as whole numbers.
"""

from __future__ import annotations

import numpy as np

from quanmin.detectors.compiling import compiled

POISSON, BERNOULLI = 0, 1
MANY = 8  # data sets for which it pays to work out what every window needs
STEP = 0.02  # the cases that windows need are worked out again when the lowest best has risen by so much
BETTER = 1e-9  # by less than this a cylinder is not better: the smaller zone stays


@compiled
def _part(count, expected):
    return count * np.log(count / expected) if count > 0 else 0.0


@compiled
def bernoulli_ratio(cases, units, all_cases, all_units):
    """Log likelihood ratio of `cases` among `units` inside against those outside; 0 where there are not more inside."""
    if units <= 0 or cases * all_units <= all_cases * units:
        return 0.0
    share, outside = all_cases / all_units, all_units - units
    inside = _part(cases, units * share) + _part(units - cases, units * (1 - share))
    return inside + _part(all_cases - cases, outside * share) + _part(outside - all_cases + cases, outside * (1 - share))


@compiled
def _ratio(cases, expected, all_cases, all_units, table, model):
    if model == BERNOULLI:
        return bernoulli_ratio(cases, max(expected, float(cases)), float(all_cases), all_units)
    if cases <= expected or expected <= 0:
        return 0.0
    outside = np.log(all_cases - expected) if expected < all_cases else 0.0
    return table[cases] - cases * (np.log(expected) - outside) - all_cases * outside


@compiled
def _fullest(row, length, last_only):
    """Cases of the fullest window of a length, of those that end on the last day if only these count."""
    kind = row.dtype.type
    days = row.shape[0] - 1
    ends, starts = row[length:], row[:days + 1 - length]
    most = kind(0)
    first = starts.shape[0] - 1 if last_only else 0
    if last_only:
        return kind(ends[first] - starts[first])
    for day in range(starts.shape[0]):
        inside = kind(ends[day] - starts[day])
        if inside > most:
            most = inside
    return most


@compiled
def _ceilings(best, limit, all_cases, table, ceilings):
    """For each number of cases the expected cases below which the ratio is above `best`, up to `limit`; returns how many numbers are filled."""
    ceilings[0], filled = 0.0, 1
    while filled < ceilings.shape[0] and filled < all_cases and ceilings[filled - 1] < limit:
        cases = filled
        low = ceilings[cases - 1] if cases > 1 else cases * np.exp(-best / cases - 2.0)
        value = max(low, 1e-300)
        for _ in range(60):  # Newton in ln(expected): the ratio falls and is convex in it, so it comes from the left and never goes past
            outside = all_cases - value
            excess = table[cases] - cases * (np.log(value) - np.log(outside)) - all_cases * np.log(outside) - best
            gradient = cases - value * (all_cases - cases) / outside
            if gradient <= 0 or excess <= 1e-10:
                break
            value *= np.exp(excess / gradient)
            if value >= cases:
                value = cases * (1 - 1e-9)
        ceilings[cases] = value
        filled += 1
    return filled


@compiled
def _window_needs(expected, longest, ceilings, filled, least_cases, needs, lowest):
    """For every window (length, first day) the fewest cases that could do, and the fewest of any window of a length."""
    days = expected.shape[0] - 1
    for length in range(1, longest + 1):
        ends, starts, row = expected[length:], expected[:days + 1 - length], needs[length]
        low, cases = np.iinfo(np.int16).max, least_cases
        for day in range(starts.shape[0]):
            value = ends[day] - starts[day]  # near that of the day before, so is the number of cases
            while cases > least_cases and ceilings[cases - 1] > value:
                cases -= 1
            while cases < filled and ceilings[cases] <= value:
                cases += 1
            row[day] = cases
            low = min(low, cases)
        lowest[length] = low


@compiled
def _any_meets(row, length, needs):
    """Whether any window of this length has as many cases as it needs."""
    kind, days = row.dtype.type, row.shape[0] - 1
    ends, starts, own = row[length:], row[:days + 1 - length], needs[length]
    over = kind(-1)
    for day in range(starts.shape[0]):
        more = kind(ends[day] - starts[day] - own[day])
        if more > over:
            over = more
    return over >= 0


@compiled
def _least(expected, longest, last_only, is_steady, lows):
    """The least that is expected of a window of each length."""
    days = expected.shape[0] - 1
    for length in range(1, longest + 1):
        low = expected[days] - expected[days - length]
        if not (last_only or is_steady):
            ends, starts = expected[length:], expected[:days + 1 - length]
            for day in range(starts.shape[0]):
                value = ends[day] - starts[day]
                low = min(low, value)
        lows[length] = low


@compiled
def _every_start(row, expected, length, last_only, all_cases, all_units, table, model, least_cases, best, needs, has_needs):
    """The best window of one length and its first day, or -1 where none is better than `best`."""
    days, found = row.shape[0] - 1, -1
    for start in range(days - length if last_only else 0, days + 1 - length):
        cases = int(row[start + length]) - int(row[start])
        if cases >= (needs[length, start] if has_needs else least_cases):
            value = _ratio(cases, expected[start + length] - expected[start], all_cases, all_units, table, model)
            if value > best + BETTER:
                best, found = value, start
    return best, found


@compiled
def _bound(most, length, lows, slopes, levels, all_cases, all_units, table, model):
    """No window of this length with so many cases at the most has a higher ratio."""
    if model == BERNOULLI:
        return bernoulli_ratio(float(most), max(lows[length], float(most)), float(all_cases), all_units)
    return table[most] - most * slopes[length] - levels[length] if most > lows[length] else 0.0


@compiled
def _longest_first(row, expected, lows, slopes, levels, longest, last_only, all_cases, all_units, table, model, least_cases, best, place, needs, lowest,
                   has_needs):
    """The best cylinder of one zone in one data set; `place` takes its first day and length."""
    length, is_found = longest, False
    while length >= 1:
        most = int(_fullest(row, length, last_only))
        if most < least_cases:
            break
        if has_needs:
            may_do = most >= lowest[length] and _any_meets(row, length, needs)
        else:
            may_do = _bound(most, length, lows, slopes, levels, all_cases, all_units, table, model) > best + BETTER
        if may_do:
            value, start = _every_start(row, expected, length, last_only, all_cases, all_units, table, model, least_cases, best, needs, has_needs)
            if start >= 0:
                best, is_found = value, True
                place[0], place[1] = start, length
        length -= 1
        if has_needs:
            while length >= 1 and most < lowest[length]:
                length -= 1
        else:
            while length >= 1 and _bound(most, length, lows, slopes, levels, all_cases, all_units, table, model) <= best + BETTER:
                length -= 1
    return best, is_found


@compiled
def _fewest(lows, slopes, levels, all_cases, table, least_cases, floor, fewest):
    """By first day of a window that ends on the last: the fewest cases with a ratio above `floor`."""
    days, cases, most = fewest.shape[0], least_cases, np.iinfo(np.int16).max
    for length in range(1, days + 1):
        while cases < all_cases and cases < most and (cases <= lows[length] or table[cases] - cases * slopes[length] - levels[length] <= floor):
            cases += 1
        fewest[days - length] = cases


@compiled
def _reaches(row, fewest):
    """Whether any window that ends on the last day has as many cases as it needs."""
    kind, last = row.dtype.type, row[row.shape[0] - 1]
    starts, over = row[:fewest.shape[0]], kind(-1)
    for day in range(fewest.shape[0]):
        more = kind(last - starts[day] - fewest[day])
        if more > over:
            over = more
    return over >= 0


@compiled
def search(prefix, base, order, starts, is_zone, is_steady, longest, last_only, all_cases, all_units, table, model, least_cases, limit, numbers,
           best, where):
    """Raise `best` (data sets) to the log likelihood ratio of the most likely cylinder of each and put its zone, first day and length into `where`.

    prefix: places × data sets × (days + 1), cases until the end of each day; base: places × (days + 1), what is expected until then (Bernoulli: units);
    table: Poisson: c ln c + (C − c) ln(C − c) for every number of cases c; limit: the most that is expected of any window; numbers: of cases whose
    expected cases are tabulated.
    """
    sets, width = prefix.shape[1], prefix.shape[2]
    running, expected = np.zeros((sets, width), prefix.dtype), np.zeros(width)
    lows, slopes, levels = np.zeros(longest + 1), np.zeros(longest + 1), np.zeros(longest + 1)
    is_varied = model == POISSON and sets >= MANY and not (is_steady or last_only)
    ceilings, filled, known = np.zeros(numbers if is_varied else 1), 0, 0.0
    needs, lowest = np.zeros((longest + 1, width) if is_varied else (1, 1), prefix.dtype), np.zeros(longest + 1, np.int64)
    place, fewest = np.zeros(2, np.int64), np.zeros(width - 1, prefix.dtype)
    for centre in range(starts.shape[0] - 1):
        running[:] = 0
        expected[:] = 0
        for at in range(starts[centre], starts[centre + 1]):
            for one in range(sets):
                row, more = running[one], prefix[order[at], one]
                for day in range(width):
                    row[day] += more[day]
            expected += base[order[at]]
            if not is_zone[at]:
                continue
            _least(expected, longest, last_only, is_steady, lows)
            if model == POISSON:
                for length in range(1, longest + 1):
                    outside = np.log(all_cases - lows[length]) if lows[length] < all_cases else 0.0
                    slopes[length] = (np.log(lows[length]) if lows[length] > 0 else -1e9) - outside
                    levels[length] = all_cases * outside
            floor = best.min()
            if is_varied and floor > STEP:
                if floor > known + STEP:
                    filled, known = _ceilings(floor, limit, all_cases, table, ceilings), floor
                _window_needs(expected, longest, ceilings, filled, least_cases, needs, lowest)
            has_fewest = last_only and model == POISSON
            if has_fewest:
                _fewest(lows, slopes, levels, all_cases, table, least_cases, floor, fewest)
            for one in range(sets):
                if has_fewest and not _reaches(running[one], fewest):
                    continue
                best[one], is_found = _longest_first(running[one], expected, lows, slopes, levels, longest, last_only, all_cases, all_units, table, model,
                                                     least_cases, best[one], place, needs, lowest, filled > 0)
                if is_found:
                    where[one, 0], where[one, 1], where[one, 2] = at, place[0], place[1]


@compiled
def cells_of(draws, cumulative, guide):
    """The cell that each uniform draw falls into; `guide[k]` is the first cell in question for draws from k / len(guide) on."""
    found = np.empty(draws.shape[0], np.int64)
    for at in range(draws.shape[0]):
        cell = guide[int(draws[at] * guide.shape[0])]
        while cumulative[cell] <= draws[at]:
            cell += 1
        found[at] = cell
    return found


@compiled
def count_into(prefix, places, days, first_day):
    """Cases (place and day of each) as sums until the end of each day from `first_day` on, into `prefix` (places × days + 1)."""
    prefix[:] = 0
    for at in range(places.shape[0]):
        if days[at] >= first_day:
            prefix[places[at], days[at] - first_day + 1] += 1
    for place in range(prefix.shape[0]):
        for day in range(1, prefix.shape[1]):
            prefix[place, day] += prefix[place, day - 1]
