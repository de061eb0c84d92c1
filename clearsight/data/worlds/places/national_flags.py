"""National flags that can't be taken for another: their names, and what can be said of them without doubt.

Flags that look like another one are left out altogether (Chad and Romania, Monaco and Indonesia, Ivory Coast and
Ireland, Luxembourg and the Netherlands, and so on). One country in eight is kept for evaluation.
"""

from dataclasses import dataclass
from functools import cache

from clearsight.data.worlds.scene import Split, belongs_to

COLOURS = {
    "r": "red",
    "o": "orange",
    "y": "yellow",
    "g": "green",
    "b": "blue",
    "w": "white",
    "k": "black",
    "n": "brown",
    "p": "purple",
}
# Code; name, and others it goes by; colours, those of small parts behind a stroke; stripes: their number, lying (h)
# or upright (v), where the whole flag consists of them but for an emblem; what stands on it.
TABLE = """
ad Andorra|byr/wno|v3|coat of arms
ae United Arab Emirates, UAE|rgwk||
ag Antigua and Barbuda|rkbwy||sun
al Albania|rk||eagle
am Armenia|rbo|h3|
ao Angola|rky|h2|emblem
ar Argentina|bw/yno|h3|sun
at Austria|rw|h3|
au Australia|bwr||stars
az Azerbaijan|brgw|h3|crescent
ba Bosnia and Herzegovina, Bosnia|byw||stars
bb Barbados|byk|v3|trident
bd Bangladesh|gr||disc
be Belgium|kyr|v3|
bf Burkina Faso|rgy|h2|star
bg Bulgaria|wgr|h3|
bi Burundi|rgw||stars
bj Benin|gyr||
bn Brunei|ywk/r||emblem
br Brazil|gybw||globe
bs Bahamas, the Bahamas|bky||triangle
bt Bhutan|yw/okrn||dragon
bw Botswana|bwk||
ca Canada|rw|v3|leaf
cd Democratic Republic of the Congo, DR Congo, Congo-Kinshasa|bry||star
cf Central African Republic|bwgyr||star
cg Republic of the Congo, Congo, Congo-Brazzaville|gyr||
ch Switzerland|rw||cross
cl Chile|rwb||star
cm Cameroon|gry|v3|star
cn China|ry||stars
co Colombia|ybr|h3|
cu Cuba|bwr||star
cv Cape Verde, Cabo Verde|bwry||stars
cy Cyprus|w/og||map
cz Czech Republic, Czechia|wrb||triangle
de Germany|kry|h3|
dj Djibouti|bgw/r||star
dk Denmark|rw||cross
dm Dominica|gykwr||parrot
do Dominican Republic|rbw/gy||cross
dz Algeria|gwr|v2|crescent
ee Estonia|bkw|h3|
eg Egypt|rwk/y|h3|eagle
er Eritrea|rgby||wreath
es Spain|ry/wbgn|h3|coat of arms
et Ethiopia|gyrb|h3|star
fi Finland|wb||cross
fm Micronesia|bw||stars
fr France|bwr|v3|
ga Gabon|gyb|h3|
gb United Kingdom, UK, Great Britain, Britain|brw||cross
gd Grenada|ryg/w||stars
ge Georgia|wr||cross
gh Ghana|rygk|h3|star
gm Gambia, the Gambia|rbgw||
gq Equatorial Guinea|gwrb/yn||coat of arms
gr Greece|bw||cross
gt Guatemala|bw/gry|v3|coat of arms
gw Guinea-Bissau|rygk||star
gy Guyana|gyrwk||
hn Honduras|bw|h3|stars
hr Croatia|rwb|h3|coat of arms
ht Haiti|brw/gy|h2|coat of arms
hu Hungary|rwg|h3|
ie Ireland|gwo|v3|
il Israel|wb||star
in India|owgb|h3|wheel
iq Iraq|rwkg|h3|
ir Iran|gwr|h3|emblem
is Iceland|bwr||cross
it Italy|gwr|v3|
jm Jamaica|gyk||
jo Jordan|kwgr||star
jp Japan|wr||disc
ke Kenya|krgw||shield
kg Kyrgyzstan|ry/o||sun
kh Cambodia|brw/k|h3|temple
ki Kiribati|rbw/yo||sun
km Comoros|ywrbg||crescent
kn Saint Kitts and Nevis|grkyw||stars
kp North Korea|brw||star
kr South Korea, Korea|wrbk||
kw Kuwait|gwrk||
kz Kazakhstan|by/g||sun
la Laos|rbw|h3|disc
lb Lebanon|rwg|h3|tree
lc Saint Lucia|bwky||triangle
lk Sri Lanka|yogr/nk||lion
lr Liberia|rwb||star
ls Lesotho|bwgk|h3|hat
lt Lithuania|ygr|h3|
ly Libya|rkgw|h3|crescent
ma Morocco|rg||star
me Montenegro|ry/bgo||eagle
mg Madagascar|wrg||
mh Marshall Islands|bow||star
mk North Macedonia, Macedonia|ry||sun
ml Mali|gyr|v3|
mm Myanmar, Burma|ygrw|h3|star
mn Mongolia|rby|v3|emblem
mr Mauritania|gyr|h3|crescent
mt Malta|wr/kn|v2|cross
mu Mauritius|rbyg|h4|
mv Maldives, the Maldives|rgw||crescent
mw Malawi|krg|h3|sun
mx Mexico|gwr/nb|v3|coat of arms
my Malaysia|rwby||crescent
mz Mozambique|gkywr||rifle
na Namibia|brgwy||sun
ng Nigeria|gw|v3|
nl Netherlands, the Netherlands, Holland|rwb|h3|
no Norway|rwb||cross
nr Nauru|bw/yo||star
om Oman|wrg||
pa Panama|wrb||stars
pe Peru|rw|v3|
pg Papua New Guinea|rkyw||bird
ph Philippines, the Philippines|brwy||sun
pk Pakistan|gw|v2|crescent
pl Poland|wr|h2|
pt Portugal|gry/wb|v2|coat of arms
pw Palau|by||disc
ru Russia|wbr|h3|
rw Rwanda|byg|h3|sun
sa Saudi Arabia|gw||sword
sb Solomon Islands|bgyw||stars
sc Seychelles|byrwg||
sd Sudan|rwkg||
se Sweden|by||cross
sg Singapore|rw|h2|crescent
sk Slovakia|wbr|h3|coat of arms
sl Sierra Leone|gwb|h3|
sm San Marino|wb/gyr|h2|coat of arms
sn Senegal|gyr|v3|star
so Somalia|bw||star
sr Suriname|gwry|h5|star
ss South Sudan|krgwby||star
st Sao Tome and Principe|gyrk||stars
sz Eswatini, Swaziland|brykw||shield
tg Togo|gyrw||star
th Thailand|rwb|h5|
tl East Timor, Timor-Leste|rykw||star
tm Turkmenistan|gr/wyo||crescent
tn Tunisia|rw||crescent
to Tonga|rw||cross
tr Turkey, Türkiye|rw||crescent
tt Trinidad and Tobago|rkw||
tw Taiwan|rbw||sun
tz Tanzania|gbyk||
ua Ukraine|by|h2|
ug Uganda|kyrw|h6|bird
us United States of America, United States, USA, US, America|rwb||stars
uy Uruguay|wby||sun
uz Uzbekistan|bwg/r||crescent
va Vatican City, the Vatican, Holy See|yw/r|v2|keys
vc Saint Vincent and the Grenadines|byg|v3|diamonds
ve Venezuela|ybr/w|h3|stars
vn Vietnam|ry||star
vu Vanuatu|rgky||
ws Samoa|rbw||stars
xk Kosovo|bw/yo||map
ye Yemen|rwk|h3|
za South Africa|rgbkyw||
zm Zambia|grko/n||eagle
zw Zimbabwe|gyrkw||bird
"""


@dataclass(frozen=True)
class National:
    """`colours` are plain to see, `traces` are there but small; `stripes` is 0 where the flag is not of stripes."""

    code: str
    name: str
    alternatives: tuple[str, ...]
    colours: tuple[str, ...]
    traces: tuple[str, ...]
    stripes: int
    way: str
    emblem: str

    @property
    def in_text(self) -> str:
        """The name as it stands in a sentence."""
        plural = self.name.endswith(("Islands", "lands", "Bahamas", "Comoros", "Maldives", "Philippines"))
        of_kind = "Republic" in self.name or self.name.startswith("United") or self.name == "Gambia"
        return f"the {self.name}" if plural or of_kind else self.name


@cache
def nationals() -> dict[str, National]:
    """All by their code."""
    found = {}
    for line in TABLE.strip().splitlines():
        code, rest = line.split(" ", 1)
        names, colours, stripes, emblem = rest.split("|")
        name, *others = names.split(", ")
        main, _, small = colours.partition("/")
        found[code] = National(
            code,
            name,
            tuple(others),
            tuple(COLOURS[letter] for letter in main),
            tuple(COLOURS[letter] for letter in small),
            int(stripes[1:] or 0),
            {"": "", "h": "horizontal", "v": "vertical"}[stripes[:1]],
            emblem.strip(),
        )
    return found


@cache
def codes(split: Split) -> tuple[str, ...]:
    """Countries whose flags belong to a split."""
    return tuple(code for code, flag in nationals().items() if belongs_to(split, "flag of " + flag.name))
