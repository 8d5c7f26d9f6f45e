"""Country names as people write them, to ISO 3166-1 alpha-2 codes.

English short names of the standard, with the shorter and older forms that master data is full of.
A name that is not here is refused, never guessed.
"""

from __future__ import annotations

from system_apis.canonical.iso import COUNTRIES

_NAMES = """
AD Andorra; AE United Arab Emirates, UAE; AF Afghanistan; AG Antigua and Barbuda; AL Albania; AM Armenia; AO Angola
AR Argentina; AT Austria, Österreich; AU Australia; AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados
BD Bangladesh; BE Belgium, Belgique, België; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin
BN Brunei, Brunei Darussalam; BO Bolivia; BR Brazil, Brasil; BS Bahamas, The Bahamas; BT Bhutan; BW Botswana
BY Belarus; BZ Belize; CA Canada; CD Democratic Republic of the Congo; CF Central African Republic; CG Congo
CH Switzerland, Schweiz, Suisse, Svizzera; CI Côte d'Ivoire, Ivory Coast; CL Chile; CM Cameroon
CN China, People's Republic of China; CO Colombia; CR Costa Rica; CU Cuba; CV Cabo Verde, Cape Verde; CY Cyprus
CZ Czechia, Czech Republic; DE Germany, Deutschland; DJ Djibouti; DK Denmark, Danmark; DM Dominica
DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia; EG Egypt; ER Eritrea; ES Spain, España; ET Ethiopia
FI Finland, Suomi; FJ Fiji; FM Micronesia; FR France; GA Gabon
GB United Kingdom, UK, Great Britain, England, Scotland, Wales, Northern Ireland; GD Grenada; GE Georgia; GH Ghana
GM Gambia, The Gambia; GN Guinea; GQ Equatorial Guinea; GR Greece; GT Guatemala; GW Guinea-Bissau; GY Guyana
HK Hong Kong; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia; IE Ireland, Republic of Ireland; IL Israel
IN India; IQ Iraq; IR Iran; IS Iceland; IT Italy, Italia; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyzstan
KH Cambodia; KI Kiribati; KM Comoros; KN Saint Kitts and Nevis; KP North Korea; KR South Korea, Republic of Korea, Korea
KW Kuwait; KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho
LT Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova; ME Montenegro; MG Madagascar
MH Marshall Islands; MK North Macedonia, Macedonia; ML Mali; MM Myanmar, Burma; MN Mongolia; MO Macao, Macau
MR Mauritania; MT Malta; MU Mauritius; MV Maldives; MW Malawi; MX Mexico, México; MY Malaysia; MZ Mozambique
NA Namibia; NE Niger; NG Nigeria; NI Nicaragua; NL Netherlands, The Netherlands, Holland, Nederland; NO Norway, Norge
NP Nepal; NR Nauru; NZ New Zealand; OM Oman; PA Panama; PE Peru; PG Papua New Guinea; PH Philippines; PK Pakistan
PL Poland, Polska; PR Puerto Rico; PS Palestine; PT Portugal; PW Palau; PY Paraguay; QA Qatar; RO Romania; RS Serbia
RU Russia, Russian Federation; RW Rwanda; SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan
SE Sweden, Sverige; SG Singapore; SI Slovenia; SK Slovakia; SL Sierra Leone; SM San Marino; SN Senegal; SO Somalia
SR Suriname; SS South Sudan; ST Sao Tome and Principe; SV El Salvador; SY Syria; SZ Eswatini, Swaziland; TD Chad
TG Togo; TH Thailand; TJ Tajikistan; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga; TR Türkiye, Turkey
TT Trinidad and Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda
US United States of America, United States, USA, U.S.A.; UY Uruguay; UZ Uzbekistan; VA Holy See, Vatican
VC Saint Vincent and the Grenadines; VE Venezuela; VN Vietnam, Viet Nam; VU Vanuatu; WS Samoa; XK Kosovo; YE Yemen
ZA South Africa; ZM Zambia; ZW Zimbabwe
"""


def _by_name() -> dict[str, str]:
    names: dict[str, str] = {}
    for entry in _NAMES.strip().replace("\n", ";").split(";"):
        code, _, spellings = entry.strip().partition(" ")
        if code in COUNTRIES:
            names |= {spelling.strip().casefold(): code for spelling in spellings.split(",")}
    return names


CODE_BY_NAME = _by_name()
"""Case-folded name to code."""


def country_code(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country given by name or code, in any case.

    Raises:
        ValueError: the name is not known.
    """
    folded = " ".join(text.split()).casefold()
    if folded in CODE_BY_NAME:
        return CODE_BY_NAME[folded]
    if folded.upper() in COUNTRIES:
        return folded.upper()
    raise ValueError(f"{text!r} is no country name or ISO 3166-1 code that is known here")
