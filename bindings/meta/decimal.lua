---@meta smc.decimal

---Exact decimal numbers as strings: up to 18 decimals, magnitude up to about 1.7e20.
---
---Arguments are strings such as `"-0.5"` (no exponent, no plus, digits on both sides of the point) or integers.
---Results are in minimal form: no trailing zeros, no point without decimals, no sign on zero.
---
---Raises: what is no decimal; a float, because it is not exact.
---Where: everywhere.
---@class smc.decimal
local decimal = {}

---@alias smc.Decimal string|integer

---Which way a number goes that has too many decimals.
---@alias smc.Rounding
---| "down"       # toward zero
---| "up"         # away from zero
---| "half_up"    # to the nearest, halves away from zero
---| "half_even"  # to the nearest, halves to the even neighbour; the default
---| "floor"      # toward minus infinity

---Errors: `overflow`.
---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return string? sum
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.add(a, b) end

---Errors: `overflow`.
---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return string? difference  a - b
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.sub(a, b) end

---The exact product; rounded only when `places` is given.
---
---Errors: `overflow`, also when there are no places given and the product has more than 18.
---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@param places? integer  0..18
---@param rounding? smc.Rounding
---@return string? product
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.mul(a, b, places, rounding) end

---The quotient, rounded once.
---
---Errors: `overflow`; `invalid_argument` when b is zero.
---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@param places? integer  0..18, default 18
---@param rounding? smc.Rounding
---@return string? quotient
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.div(a, b, places, rounding) end

---@nodiscard
---@param a smc.Decimal
---@return string negated
---@source ../smcb_decimal.c
function decimal.neg(a) end

---@nodiscard
---@param a smc.Decimal
---@return string magnitude
---@source ../smcb_decimal.c
function decimal.abs(a) end

---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return -1|0|1 order  by value: "1.0" and "1" are equal
---@source ../smcb_decimal.c
function decimal.cmp(a, b) end

---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return boolean less  a < b
---@source ../smcb_decimal.c
function decimal.lt(a, b) end

---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return boolean less_or_equal  a <= b
---@source ../smcb_decimal.c
function decimal.le(a, b) end

---@nodiscard
---@param a smc.Decimal
---@param b smc.Decimal
---@return boolean equal  by value
---@source ../smcb_decimal.c
function decimal.eq(a, b) end

---@nodiscard
---@param a smc.Decimal
---@param ... smc.Decimal
---@return string least
---@source ../smcb_decimal.c
function decimal.min(a, ...) end

---@nodiscard
---@param a smc.Decimal
---@param ... smc.Decimal
---@return string greatest
---@source ../smcb_decimal.c
function decimal.max(a, ...) end

---Errors: `overflow`.
---@nodiscard
---@param a smc.Decimal
---@param places? integer  0..18, default 0
---@param rounding? smc.Rounding
---@return string? rounded
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.round(a, places, rounding) end

---The greatest multiple of step that is not above a: what an exchange's step or tick size leaves of an amount.
---
---Errors: `overflow`.  Raises: a step that is not above zero.
---@nodiscard
---@param a smc.Decimal
---@param step smc.Decimal
---@return string? floored
---@return smc.Error? err
---@source ../smcb_decimal.c
function decimal.floor_to(a, step) end

---Raises: a step that is not above zero.
---@nodiscard
---@param a smc.Decimal
---@param step smc.Decimal
---@return boolean multiple  whether a is a whole number of steps
---@source ../smcb_decimal.c
function decimal.is_multiple(a, step) end

---Raises: a step that is not above zero.
---@nodiscard
---@param a smc.Decimal
---@param least? smc.Decimal  default: no bound
---@param most? smc.Decimal  default: no bound
---@param step? smc.Decimal  default: any number will do
---@return boolean within  whether least <= a <= most, and a is a whole number of steps
---@source ../smcb_decimal.c
function decimal.within(a, least, most, step) end

---The number as text with exactly `places` decimals, or in minimal form.
---@nodiscard
---@param a smc.Decimal
---@param places? integer  0..18
---@param rounding? smc.Rounding
---@return string text
---@source ../smcb_decimal.c
function decimal.format(a, places, rounding) end

---Whether a value is a string that the other functions take.  Never raises.
---@nodiscard
---@param value any
---@return boolean valid
---@source ../smcb_decimal.c
function decimal.is_valid(value) end

return decimal
