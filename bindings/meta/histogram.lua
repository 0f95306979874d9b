---@meta smc.histogram

---Durations and their percentiles, to three significant digits (HdrHistogram's buckets), in little memory.
---@class smc.histogram
local histogram = {}

---Where: everywhere.
---@nodiscard
---@return smc.Histogram? h  an empty one
---@return smc.Error? err
---@source ../smcb_histogram.c
function histogram.new() end

---Seconds in, seconds out.  While nothing was recorded there is no minimum, mean or percentile: they are nil, so that a
---comparison raises instead of passing.
---@class smc.Histogram
local Histogram = {}

---Raises: not a number from 0 to 9e9.
---@param seconds number
---@return true? ok
---@return smc.Error? err
---@source ../smcb_histogram.c
function Histogram:record(seconds) end

---Adds what another histogram has counted.
---@param other smc.Histogram
---@return true? ok
---@return smc.Error? err
---@source ../smcb_histogram.c
function Histogram:merge(other) end

---@nodiscard
---@return integer count
---@source ../smcb_histogram.c
function Histogram:count() end

---@nodiscard
---@return number? seconds  exact
---@source ../smcb_histogram.c
function Histogram:min() end

---@nodiscard
---@return number? seconds  exact
---@source ../smcb_histogram.c
function Histogram:max() end

---@nodiscard
---@return number? seconds  exact
---@source ../smcb_histogram.c
function Histogram:mean() end

---What p percent of the durations do not exceed: never too low, too high by less than a thousandth, never above the
---maximum.
---
---Raises: not a number from 0 to 100.
---@nodiscard
---@param p number  0..100
---@return number? seconds
---@source ../smcb_histogram.c
function Histogram:percentile(p) end

return histogram
