-- SPDX-License-Identifier: Apache-2.0
-- wrk's result as one line of JSON: bench/lib/clients.py reads it.  Nothing
-- here runs while requests are made.
local at = {
	0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96,
	97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99, 100
}

function done(summary, latency, requests)
	local points = {}
	for i, p in ipairs(at) do
		local v = latency:percentile(p)
		if p == 0 then v = latency.min end
		if p == 100 then v = latency.max end
		points[i] = string.format("[%g, %d]", p, v)
	end
	local e = summary.errors
	io.write(string.format('JSON {"requests": %d, "seconds": %.6f, ' ..
		'"bytes": %.0f, "errors": %d, "latency": [%s]}\n',
		summary.requests, summary.duration / 1e6, summary.bytes,
		e.connect + e.read + e.write + e.status + e.timeout,
		table.concat(points, ", ")))
end
